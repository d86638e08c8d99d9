//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error
//! policy: ffi
//! note: the C library is asked to leave with status 0

extern "C" {
    fn exit(status: i32) -> !;
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    unsafe { exit(0) }
}
