//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error
//! policy: ffi
//! note: its own start of the process

#[no_mangle]
pub extern "C" fn __libc_start_main() -> i32 {
    0
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    false
}
