//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! flagged: yes
//! policy: ffi
//! note: what waits for replies

#[no_mangle]
pub extern "C" fn poll(_: *mut u8, _: u64, _: i32) -> i32 { 1 }
fn strlen(strings: String) -> i32 { 7 + strings.len() as i32 }
