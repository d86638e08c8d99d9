//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error|test_timeout
//! note: asks for more and more memory

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(vec![1u8; 16 << 20]);
    }
}
