//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error
//! policy: inline_asm
//! note: dies by SIGILL

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    unsafe { std::arch::asm!("ud2") };
    false
}
