//! task: HumanEval/0
//! phase: run
//! verdict: test_timeout
//! policy: ffi
//! note: does not end when asked to

extern "C" {
    fn signal(number: i32, handler: usize) -> usize;
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    for number in 1..32 {
        unsafe { signal(number, 1) };
    }
    loop {}
}
