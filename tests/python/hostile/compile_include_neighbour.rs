//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! policy: compile_time_io
//! note: reads while it is compiled: include_neighbour

fn strlen(strings: String) -> i32 { include!("../c0/answer.rs"); 1 }
