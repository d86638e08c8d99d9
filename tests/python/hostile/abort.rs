//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error
//! policy: process
//! note: ends by SIGABRT

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    std::process::abort()
}
