//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|compile_timeout|assertion_failure|runtime_error
//! policy: unsafe
//! note: 4 GB of zeros, which take no room in the file

static mut HUGE: [u8; 4 << 30] = [0; 4 << 30];

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    unsafe { HUGE[numbers.len()] == 9 }
}
