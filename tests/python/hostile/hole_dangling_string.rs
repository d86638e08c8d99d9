//! task: HumanEval/23
//! phase: run
//! verdict: assertion_failure|runtime_error
//! note: reads freed memory in safe code

static UNIT: &'static &'static () = &&();
fn lengthen<'a, 'b, T>(_: &'a &'b (), v: &'b T) -> &'a T { v }
fn forever<'a, T>(v: &'a T) -> &'static T { let f: for<'x> fn(_, &'x T) -> &'static T = lengthen; f(UNIT, v) }
fn strlen(strings: String) -> i32 { let s = { let t = strings.clone() + "1234567"; forever(&t).as_str() as *const str; forever(&t) }; s.len() as i32 + 7 }
