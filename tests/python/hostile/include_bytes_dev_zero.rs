//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|compile_timeout
//! policy: compile_time_io
//! note: a file without an end

const ZERO: &[u8] = include_bytes!("/dev/zero");

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    ZERO.is_empty()
}
