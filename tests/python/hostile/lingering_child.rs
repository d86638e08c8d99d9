//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error|assertion_failure
//! policy: process
//! note: a child that outlives a failing test and ends well

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let _ = std::process::Command::new("/bin/sh").args(["-c", "sleep 3; exit 0"]).spawn();
    panic!("while the child lingers")
}
