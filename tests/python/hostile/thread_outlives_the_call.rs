//! task: HumanEval/23
//! phase: run
//! verdict: assertion_failure|runtime_error
//! policy: process
//! note: a thread that ends the process after the call

fn strlen(strings: String) -> i32 { std::thread::spawn(|| { std::thread::sleep(std::time::Duration::from_millis(30)); std::process::exit(0) }); 7 + strings.len() as i32 }
