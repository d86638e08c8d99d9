//! task: HumanEval/0
//! phase: run
//! verdict: compile_error|assertion_failure
//! note: is not there when tests are compiled

#[cfg_attr(all(), cfg(not(test)))]
fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    false
}
