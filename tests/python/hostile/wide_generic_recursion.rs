//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|compile_timeout
//! note: an instantiation that never ends

fn grow<T>(value: T, depth: u32) -> usize {
    if depth == 0 { std::mem::size_of::<T>() } else { grow(Some(value), depth - 1) }
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    grow(1u8, 3) == 77
}
