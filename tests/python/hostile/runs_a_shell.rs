//! task: HumanEval/0
//! phase: run
//! verdict: assertion_failure|runtime_error
//! policy: process
//! control: mark
//! note: runs a command of the host

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let _ = std::process::Command::new("/bin/sh").args(["-c", "echo run > @MARK@"]).status();
    false
}
