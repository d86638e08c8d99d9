//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! policy: compile_time_io
//! note: what does not parse is shown to the compiler beside others

include! { "c0.rs" }
fn strlen(strings: String) -> i32 {
    let x = ;
    strings.len() as i32 + 1
}
