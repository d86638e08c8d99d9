//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! policy: compile_time_io
//! note: a module in a file of the host

#[cfg_attr(all(), path = "@CANARY@")]
mod m;
fn strlen(strings: String) -> i32 { 7 + strings.len() as i32 }
