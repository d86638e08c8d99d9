//! task: HumanEval/0
//! phase: run
//! verdict: assertion_failure|runtime_error
//! policy: filesystem
//! note: leaves a file in the home folder

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let home = std::env::var("HOME").unwrap_or_else(|_| "/root".into());
    let _ = std::fs::create_dir_all(format!("{home}/.ssh"));
    let _ = std::fs::write(format!("{home}/.sigil-hostile"), "written");
    let _ = std::fs::write("/root/.sigil-hostile", "written");
    false
}
