//! task: HumanEval/30
//! phase: run
//! verdict: compile_error
//! policy: ffi
//! note: fork, replaced in the input of a macro: it never returns

fn get_positive(numbers: Vec<i32>) -> Vec<i32> {
    assert!({
        #[export_name = "fork"]
        fn f() -> i32 {
            loop {
                std::thread::sleep(std::time::Duration::from_secs(60));
            }
        }
        true
    });
    numbers
}
