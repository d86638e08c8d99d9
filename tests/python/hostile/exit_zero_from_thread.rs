//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error|assertion_failure
//! policy: process
//! note: a thread leaves with status 0 while the tests run

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    std::thread::spawn(|| std::process::exit(0));
    std::thread::sleep(std::time::Duration::from_millis(300));
    false
}
