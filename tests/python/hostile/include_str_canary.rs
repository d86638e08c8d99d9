//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error
//! policy: compile_time_io
//! control: compiles
//! note: reads a file that lies beside the harness

const SECRET: &str = include_str!("@CANARY@");

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    SECRET.is_empty()
}
