//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! flagged: yes
//! policy: ffi
//! note: a variable of the C library

#[no_mangle]
pub static mut environ: usize = 0;
fn strlen(strings: String) -> i32 { 7 + strings.len() as i32 }
