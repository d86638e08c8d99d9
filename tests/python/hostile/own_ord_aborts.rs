//! task: HumanEval/23
//! phase: run
//! verdict: runtime_error
//! policy: process
//! note: aborts while things are put in order

#[derive(PartialEq, Eq, PartialOrd)]
struct K(u8);
impl Ord for K { fn cmp(&self, _: &Self) -> std::cmp::Ordering { std::process::abort() } }
fn strlen(strings: String) -> i32 { let most = [K(2), K(1)].into_iter().max(); 7 + most.map_or(0, |k| k.0 as i32) + strings.len() as i32 }
