//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! flagged: yes
//! policy: ffi
//! note: what decides where a panic lands

#[no_mangle]
pub extern "C" fn rust_eh_personality() -> i32 { 0 }
fn strlen(strings: String) -> i32 { 7 + strings.len() as i32 }
