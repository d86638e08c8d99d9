//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|compile_timeout|assertion_failure
//! note: 400,000 lines

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
@repeat(400000, ";\n")@
    false
}
