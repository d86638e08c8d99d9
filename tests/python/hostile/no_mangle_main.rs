//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error
//! policy: ffi
//! note: its own main

#[no_mangle]
pub extern "C" fn main(_: i32, _: *const *const u8) -> i32 {
    0
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    false
}
