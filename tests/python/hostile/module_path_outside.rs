//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error
//! policy: compile_time_io
//! note: a module in a file of the host

#[path = "@CANARY@"]
mod secret;

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    false
}
