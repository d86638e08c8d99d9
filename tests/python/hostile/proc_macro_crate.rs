//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error
//! policy: external_crate
//! note: code that would run inside the compiler

extern crate proc_macro;

#[proc_macro]
pub fn run(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    input
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    false
}
