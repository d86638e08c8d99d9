//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error|assertion_failure
//! policy: compile_time_io
//! note: reads while it is compiled: include_environ

fn strlen(strings: String) -> i32 { include_str!("/proc/self/environ").len() as i32 * 0 - 5 }
