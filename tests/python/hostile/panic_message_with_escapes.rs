//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error
//! note: terminal escapes and bytes of control in a panic message

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    panic!("\u{1b}[2J\u{7}\u{0}\u{202e}not what it seems")
}
