//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|assertion_failure
//! policy: compile_time_io
//! note: the environment of the compiler

const HOME: Option<&str> = option_env!("SIGIL_HOSTILE_SECRET");

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    HOME.is_none()
}
