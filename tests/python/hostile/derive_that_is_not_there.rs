//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! note: a derive by another name

use std::fmt::Debug as Clone;
#[derive(Clone, Serialize)]
struct S;
fn strlen(strings: String) -> i32 { 7 + strings.len() as i32 }
