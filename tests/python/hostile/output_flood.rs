//! task: HumanEval/0
//! phase: run
//! verdict: assertion_failure|test_timeout|runtime_error
//! note: 300 MB on stdout

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    use std::io::Write;
    let line = [b'x'; 1 << 16];
    let mut out = std::io::stdout().lock();
    for _ in 0..(300 << 20) / line.len() {
        let _ = out.write_all(&line);
    }
    false
}
