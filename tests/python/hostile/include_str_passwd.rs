//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|assertion_failure
//! policy: compile_time_io
//! note: reads a file of the host into the program

const SECRET: &str = include_str!("/etc/passwd");

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    SECRET.is_empty()
}
