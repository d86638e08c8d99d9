//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! policy: ffi
//! note: a symbol under a raw name

#[r#no_mangle]
pub extern "C" fn r#write(_: i32, _: *const u8, n: usize) -> isize { n as isize }
fn strlen(strings: String) -> i32 { 7 + strings.len() as i32 }
