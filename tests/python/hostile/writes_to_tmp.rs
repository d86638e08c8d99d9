//! task: HumanEval/0
//! phase: run
//! verdict: assertion_failure|runtime_error
//! policy: filesystem
//! control: mark
//! note: leaves a file in /tmp

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let _ = std::fs::write("@MARK@", "written");
    false
}
