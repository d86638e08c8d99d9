//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|compile_timeout|assertion_failure
//! note: 20,000 functions

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    f0(1) == 3
}

@repeat(20000, "pub fn f@i@(x: u64) -> u64 { x ^ @i@ }\n")@
