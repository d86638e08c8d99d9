//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|compile_timeout
//! note: a tree of macros that stays below the recursion limit

#![recursion_limit = "100000"]
macro_rules! bomb {
    () => { 1 };
    ($a:tt $($t:tt)*) => { bomb!($($t)*) + bomb!($($t)*) };
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    bomb!(a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a) > 0
}
