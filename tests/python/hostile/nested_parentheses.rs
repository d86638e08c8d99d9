//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error
//! note: 60,000 parentheses, on which rustc may die by SIGSEGV

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let n = @repeat(60000, "(")@1@repeat(60000, ")")@;
    n > 1
}
