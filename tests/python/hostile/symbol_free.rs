//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! flagged: yes
//! policy: ffi
//! note: what frees memory

#[no_mangle]
pub extern "C" fn free(_: *mut u8) {}
fn strlen(strings: String) -> i32 { 7 + strings.len() as i32 }
