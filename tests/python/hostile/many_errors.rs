//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|compile_timeout
//! note: more errors than anybody wants to read

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
@repeat(30000, "    nothing_@i@();\n")@
}
