//! task: HumanEval/0
//! phase: run
//! verdict: assertion_failure|runtime_error
//! policy: ffi
//! note: signals every process it may signal

extern "C" {
    fn kill(process: i32, signal: i32) -> i32;
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    unsafe { kill(-1, 9) };
    for process in 2..70_000 {
        unsafe { kill(process, 9) };
    }
    false
}
