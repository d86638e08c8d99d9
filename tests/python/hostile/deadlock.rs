//! task: HumanEval/0
//! phase: run
//! verdict: test_timeout
//! note: waits for itself

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let lock = std::sync::Mutex::new(1);
    let _first = lock.lock();
    let _second = lock.lock();
    false
}
