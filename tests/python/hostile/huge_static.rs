//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|compile_timeout|assertion_failure|runtime_error
//! note: 300 MB of data in the program

static HUGE: [u8; 300 << 20] = [1; 300 << 20];

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    HUGE[numbers.len()] == 9
}
