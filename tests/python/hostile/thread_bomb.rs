//! task: HumanEval/0
//! phase: run
//! verdict: test_timeout|runtime_error|assertion_failure
//! note: threads that start threads

fn bomb() {
    loop {
        let _ = std::thread::Builder::new().stack_size(1 << 16).spawn(bomb);
    }
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    bomb();
    false
}
