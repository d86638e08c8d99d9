//! task: HumanEval/0
//! phase: run
//! verdict: test_timeout
//! note: sleeps for a day

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    std::thread::sleep(std::time::Duration::from_secs(86_400));
    false
}
