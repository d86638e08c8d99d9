//! task: HumanEval/24
//! phase: compile
//! verdict: assertion_failure
//! note: in the input of a macro, a comparison that makes neighbours' types ambiguous

fn largest_divisor(n: i32) -> i32 {
    assert!({
        struct L;
        impl PartialEq<L> for i32 {
            fn eq(&self, _: &L) -> bool {
                true
            }
        }
        true
    });
    n
}
