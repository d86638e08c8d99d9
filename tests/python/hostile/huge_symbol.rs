//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|assertion_failure
//! note: a name of half a million letters

fn a@repeat(500000, "a")@() {}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    a@repeat(500000, "a")@();
    false
}
