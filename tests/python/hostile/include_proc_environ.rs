//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|assertion_failure
//! policy: compile_time_io
//! note: reads the compiler's environment

const SECRET: &[u8] = include_bytes!("/proc/self/environ");

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    SECRET.is_empty()
}
