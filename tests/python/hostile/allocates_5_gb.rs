//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error
//! note: asks for 5 GB at once

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let huge = vec![1u8; 5 << 30];
    huge[numbers.len()] == 9
}
