//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error
//! policy: ffi
//! note: code that runs before the libraries are ready

#[used]
#[link_section = ".preinit_array"]
static START: extern "C" fn() = start;

extern "C" fn start() {}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    false
}
