//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|compile_timeout|assertion_failure
//! policy: compile_time_io
//! note: waits for somebody to type

const INPUT: &str = include_str!("/dev/stdin");

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    INPUT.len() > 3
}
