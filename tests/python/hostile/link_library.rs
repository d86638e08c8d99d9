//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|assertion_failure
//! policy: ffi
//! note: asks the linker for a library of its own

#[link(name = "answer_that_is_not_there")]
extern "C" {}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    false
}
