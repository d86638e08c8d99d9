//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error
//! note: 30,000 blocks

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    @repeat(30000, "{")@ false @repeat(30000, "}")@
}
