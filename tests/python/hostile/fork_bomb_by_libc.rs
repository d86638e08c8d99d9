//! task: HumanEval/0
//! phase: run
//! verdict: test_timeout|runtime_error|assertion_failure
//! policy: ffi
//! note: processes that start processes

extern "C" {
    fn fork() -> i32;
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    for _ in 0..1_000_000 {
        unsafe { fork() };
    }
    false
}
