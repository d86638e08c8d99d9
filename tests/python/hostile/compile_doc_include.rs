//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! policy: compile_time_io
//! note: reads a file for its documentation

#[doc = include_str!("@CANARY@")]
fn strlen(strings: String) -> i32 { 7 + strings.len() as i32 }
