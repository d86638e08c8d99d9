//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|compile_timeout|assertion_failure|runtime_error
//! note: one expression with 30,000 terms

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let n = 0u64 @repeat(30000, "+ 1 ")@;
    n == 3
}
