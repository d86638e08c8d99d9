//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|compile_timeout
//! note: a constant that is never computed

const FOR_EVER: u64 = {
    let mut n = 0u64;
    while n < u64::MAX {
        n = (n + 1) % 1_000_000_007;
    }
    n
};

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    FOR_EVER > 1
}
