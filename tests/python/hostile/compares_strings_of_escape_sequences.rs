//! task: HumanEval/23
//! phase: run
//! verdict: runtime_error
//! note: a panic that would clear a screen

fn strlen(_: String) -> i32 { panic!("\x1b[2J\x07\x00\u{202e}\u{2028}") }
