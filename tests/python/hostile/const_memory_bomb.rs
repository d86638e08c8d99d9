//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|compile_timeout
//! note: a constant that needs more memory than there is

const HUGE: [[u64; 1 << 20]; 1 << 10] = [[7; 1 << 20]; 1 << 10];

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    HUGE[numbers.len()][1] > 9
}
