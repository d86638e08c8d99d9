//! task: HumanEval/23
//! phase: run
//! verdict: runtime_error|assertion_failure|test_timeout
//! note: says more than anyone keeps

fn strlen(strings: String) -> i32 { for _ in 0..200 { let s = "x".repeat(1 << 20); let _ = std::panic::catch_unwind(|| panic!("{}", s)); } 7 + strings.len() as i32 }
