//! task: HumanEval/23
//! phase: run
//! verdict: runtime_error|test_timeout
//! note: recurses until its stack is full

fn deep(n: u64) -> u64 { let a = [n; 64]; std::hint::black_box(&a); 1 + deep(n + 1) + a[3] }
fn strlen(strings: String) -> i32 { deep(1) as i32 }
