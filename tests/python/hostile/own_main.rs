//! task: HumanEval/0
//! phase: run
//! verdict: assertion_failure|runtime_error
//! policy: process
//! note: brings a main that leaves with status 0

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    false
}

fn main() {
    std::process::exit(0)
}
