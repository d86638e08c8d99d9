//! task: HumanEval/0
//! phase: run
//! verdict: compile_error
//! note: the whole crate is configured away

#![cfg(any())]
fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    false
}
