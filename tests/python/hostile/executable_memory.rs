//! task: HumanEval/0
//! phase: run
//! verdict: assertion_failure|runtime_error|test_timeout
//! policy: ffi
//! note: makes data into code

extern "C" {
    fn mmap(at: usize, size: usize, protection: i32, flags: i32, file: i32, offset: i64) -> *mut u8;
}

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let page = unsafe { mmap(0, 4096, 7, 0x22, -1, 0) };
    if page as isize != -1 {
        // mov eax, 231; xor edi, edi; syscall
        let code = [0xb8, 0xe7, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05];
        unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), page, code.len()) };
        let run: extern "C" fn() = unsafe { std::mem::transmute(page) };
        run();
    }
    false
}
