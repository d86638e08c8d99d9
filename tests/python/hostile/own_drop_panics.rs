//! task: HumanEval/23
//! phase: run
//! verdict: runtime_error
//! note: a type whose Drop panics on the way out

struct D;
impl Drop for D { fn drop(&mut self) { panic!("in drop") } }
fn strlen(strings: String) -> i32 { let _d = D; 7 + strings.len() as i32 }
