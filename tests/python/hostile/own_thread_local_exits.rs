//! task: HumanEval/23
//! phase: run
//! verdict: runtime_error
//! policy: process
//! note: ends the process in the destructor of a thread-local

struct D;
impl Drop for D { fn drop(&mut self) { std::process::exit(0) } }
thread_local! { static L: D = D; }
fn strlen(strings: String) -> i32 { let _ = std::thread::spawn(|| L.with(|_| ())).join(); 7 + strings.len() as i32 }
