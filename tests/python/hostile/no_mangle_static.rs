//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error
//! policy: ffi
//! note: data in the place of a function of the C library

#[no_mangle]
pub static malloc: [u8; 16] = [0xc3; 16];

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    false
}
