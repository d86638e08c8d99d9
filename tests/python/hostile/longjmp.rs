//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error|assertion_failure|test_timeout
//! policy: ffi
//! note: jumps out of the test

extern "C" {
    fn longjmp(buffer: *const u8, value: i32) -> !;
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let buffer = [0u8; 512];
    unsafe { longjmp(buffer.as_ptr(), 1) }
}
