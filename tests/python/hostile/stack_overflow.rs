//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error
//! note: recurses for ever

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    #[allow(unconditional_recursion)]
    fn down(n: u64) -> u64 {
        std::hint::black_box(n) + down(n + 1)
    }
    down(numbers.len() as u64) > 1
}
