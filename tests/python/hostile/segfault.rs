//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error
//! policy: unsafe
//! note: dies by SIGSEGV

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    unsafe { *(8 as *const u8) == 9 }
}
