//! task: HumanEval/0
//! phase: run
//! verdict: test_timeout|runtime_error|assertion_failure
//! policy: process
//! note: a shell that starts shells

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    for _ in 0..100 {
        let _ = std::process::Command::new("/bin/sh").args(["-c", "sh -c 'sleep 60 &' &"]).spawn();
    }
    false
}
