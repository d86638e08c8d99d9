//! task: HumanEval/0
//! phase: run
//! verdict: test_timeout
//! note: never ends

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    loop {
        std::hint::black_box(&numbers);
    }
}
