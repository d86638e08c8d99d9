//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|compile_timeout
//! note: a search for an implementation that never ends

#![recursion_limit = "4096"]
struct Pair<A, B>(A, B);
trait Endless {}
impl<A, B> Endless for Pair<A, B> where Pair<Pair<A, B>, Pair<B, A>>: Endless {}

fn need<T: Endless>() {}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    need::<Pair<u8, u16>>();
    false
}
