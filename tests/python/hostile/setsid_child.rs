//! task: HumanEval/0
//! phase: run
//! verdict: runtime_error|assertion_failure
//! policy: ffi
//! note: a child in a session of its own

extern "C" {
    fn fork() -> i32;
    fn setsid() -> i32;
    fn sleep(seconds: u32) -> u32;
    fn _exit(status: i32) -> !;
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    unsafe {
        if fork() == 0 {
            setsid();
            if fork() == 0 {
                sleep(600);
            }
            _exit(0)
        }
    }
    false
}
