//! task: HumanEval/0
//! phase: run
//! verdict: test_timeout|runtime_error
//! note: sixty threads that never end

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    for _ in 0..60 {
        let _ = std::thread::Builder::new().stack_size(1 << 16).spawn(|| loop {});
    }
    loop {}
}
