//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! flagged: yes
//! policy: ffi
//! note: an attribute behind a condition

#[cfg_attr(all(), no_mangle)]
pub extern "C" fn memcmp(_: *const u8, _: *const u8, _: usize) -> i32 { 0 }
fn strlen(strings: String) -> i32 { 7 + strings.len() as i32 }
