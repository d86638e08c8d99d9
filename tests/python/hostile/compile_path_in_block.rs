//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! policy: compile_time_io
//! note: a module in a file, named within a function

fn strlen(strings: String) -> i32 {
    #[path = "@CANARY@"]
    mod m;
    strings.len() as i32
}
