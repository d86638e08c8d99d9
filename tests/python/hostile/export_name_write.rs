//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error
//! policy: ffi
//! note: its own write under an exported name

#[export_name = "write"]
pub extern "C" fn put(_: i32, _: *const u8, size: usize) -> usize {
    size
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    false
}
