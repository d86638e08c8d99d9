//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error|assertion_failure|test_timeout
//! note: a panic whose payload panics when it is dropped

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("from the payload")
    }
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    std::panic::panic_any(Bomb)
}
