//! task: HumanEval/0
//! phase: run
//! verdict: assertion_failure
//! note: bytes that are no text, and terminal escapes

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    use std::io::Write;
    let _ = std::io::stdout().write_all(b"\xff\xfe\x00\x1b]0;title\x07\x1b[2J\xc3\x28");
    let _ = std::io::stderr().write_all(&[0x80; 4096]);
    false
}
