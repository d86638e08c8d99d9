//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! policy: ffi
//! note: a symbol in a macro in a macro

fn strlen(strings: String) -> i32 {
    assert!(vec![matches!({ #[export_name = "memcmp"] pub extern "C" fn f(_: usize, _: usize, _: usize) -> i32 { 0 } 1 }, 1)][0]);
    7 + strings.len() as i32
}
