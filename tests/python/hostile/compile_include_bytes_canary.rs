//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! policy: compile_time_io
//! note: reads while it is compiled: include_bytes_canary

fn strlen(strings: String) -> i32 { include_bytes!("@CANARY@").len() as i32 }
