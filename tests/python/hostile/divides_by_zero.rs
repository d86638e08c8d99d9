//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error
//! note: dies by a panic of arithmetic

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    1 / (numbers.len() - numbers.len()) == 1
}
