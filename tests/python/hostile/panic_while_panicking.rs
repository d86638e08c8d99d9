//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error
//! note: panics while a panic unwinds

struct Again;

impl Drop for Again {
    fn drop(&mut self) {
        panic!("again")
    }
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let _again = Again;
    panic!("first")
}
