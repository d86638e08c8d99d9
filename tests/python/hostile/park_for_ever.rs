//! task: HumanEval/0
//! phase: run
//! verdict: test_timeout
//! note: the only thread waits for nobody

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    loop {
        std::thread::park();
    }
}
