//! task: HumanEval/0
//! phase: run
//! verdict: assertion_failure|test_timeout|runtime_error
//! note: a flood on stderr that never ends

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    loop {
        eprintln!("{}", "y".repeat(1 << 16));
    }
}
