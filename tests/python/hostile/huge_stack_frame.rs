//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error
//! note: one frame larger than the stack

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let frame = [7u8; 512 << 20];
    std::hint::black_box(&frame)[numbers.len()] == 9
}
