//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error
//! policy: ffi
//! note: code that runs before all other code that runs before main

#[used]
#[link_section = ".init_array.00001"]
static START: extern "C" fn() = start;

extern "C" fn start() {
    std::process::exit(0)
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    false
}
