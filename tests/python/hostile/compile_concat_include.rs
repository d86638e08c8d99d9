//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! policy: compile_time_io
//! note: reads while it is compiled: concat_include

fn strlen(strings: String) -> i32 { include_str!(concat!("@CANARY@")).len() as i32 }
