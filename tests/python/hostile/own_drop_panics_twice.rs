//! task: HumanEval/23
//! phase: run
//! verdict: runtime_error
//! note: panics in Drop while it panics

struct D;
impl Drop for D { fn drop(&mut self) { panic!("again") } }
fn strlen(strings: String) -> i32 { let _d = D; panic!("once {}", strings) }
