//! task: HumanEval/0
//! phase: run
//! verdict: assertion_failure|runtime_error|test_timeout
//! policy: filesystem
//! note: writes until somebody stops it

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    for n in 0..64 {
        for folder in ["/tmp", "/dev/shm", "/var/tmp", "."] {
            let _ = std::fs::write(format!("{folder}/sigil-hostile-{n}"), vec![1u8; 1 << 20]);
        }
    }
    false
}
