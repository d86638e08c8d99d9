//! task: HumanEval/0
//! phase: run
//! verdict: assertion_failure|runtime_error
//! policy: filesystem
//! note: reads the accounts of the host

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let found = ["/etc/passwd", "/etc/shadow"].iter().any(|path| std::fs::read(path).is_ok());
    assert!(!found, "accounts were read");
    false
}
