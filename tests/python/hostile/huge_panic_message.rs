//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error|test_timeout
//! note: a panic with 100 MB to say

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    panic!("{}", "x".repeat(100 << 20))
}
