//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error
//! policy: process
//! note: a destructor leaves with status 0 while a panic unwinds

struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        std::process::exit(0)
    }
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let _leave = Leave;
    panic!("unwinds through the destructor")
}
