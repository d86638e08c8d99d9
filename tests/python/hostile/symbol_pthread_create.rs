//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! flagged: yes
//! policy: ffi
//! note: what starts threads

#[no_mangle]
pub extern "C" fn pthread_create() -> i32 { 0 }
fn strlen(strings: String) -> i32 { 7 + strings.len() as i32 }
