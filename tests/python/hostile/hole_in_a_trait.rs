//! task: HumanEval/23
//! phase: run
//! verdict: assertion_failure|runtime_error
//! note: the same by a trait that normalises

trait Id { type T; }
impl<A> Id for A { type T = A; }
fn g<'a, 'b, T>(_: <&'a &'b () as Id>::T, v: &'b T) -> &'a T { v }
fn strlen(strings: String) -> i32 { let f: for<'x> fn(_, &'x String) -> &'static String = g; let r: &'static String = { let t = strings + "12"; f(&&(), &t) }; r.len() as i32 + 9 }
