//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|compile_timeout
//! note: a type that doubles at every step

fn grow<T: Clone + 'static>(value: T, depth: u32) -> bool {
    if depth == 0 { std::any::type_name::<T>().is_empty() } else { grow((value.clone(), value), depth - 1) }
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    grow(0u8, 40)
}
