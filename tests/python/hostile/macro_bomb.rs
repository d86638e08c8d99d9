//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|compile_timeout
//! note: a macro that doubles at every step

macro_rules! bomb {
    ($($t:tt)*) => { bomb! { $($t)* $($t)* } };
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    bomb!(1 +)
}
