//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|assertion_failure
//! note: 200,000 operators in one expression

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    @repeat(200001, "!")@true
}
