//! What every test driver links with: it runs the tests and reports the verdict.
//!
//! The harness writes a nonce and the number of a candidate to stdin. The runtime reads them
//! before any code of the candidate runs, moves the report to a private descriptor, points
//! stdin, stdout and stderr at /dev/null (so floods cost nothing), and installs a seccomp
//! filter that leaves memory, threads, clocks and randomness, and nothing that opens, starts
//! or connects. It then runs each test and reports
//!
//!     NONCE START
//!     NONCE PASS k/k        or        NONCE FAIL assertion|panic|canary TEST
//!
//! A candidate that ends the process early, in whatever way, never reports PASS, because safe
//! code cannot learn the nonce. Unsafe code could search this process's memory for it; the
//! harness flags such candidates.

use std::fmt::Debug;
use std::hint::black_box;
use std::io::{Read, Write};
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};

/// One test of a problem.
pub struct Test {
    pub name: &'static str,
    pub should_panic: bool,
    pub run: fn(),
}

/// What a test function may return: `()` or a `Result`.
pub trait Finish {
    fn finish(self);
}

impl Finish for () {
    fn finish(self) {}
}

impl<E: Debug> Finish for Result<(), E> {
    fn finish(self) {
        if let Err(error) = self {
            panic!("the test returned Err({:?})", error);
        }
    }
}

extern "C" {
    fn alarm(seconds: u32) -> u32;
    fn dup2(from: i32, to: i32) -> i32;
    fn fcntl(descriptor: i32, command: i32, argument: i32) -> i32;
    fn prctl(option: i32, ...) -> i32;
    fn _exit(status: i32) -> !;
}

static ASSERTION: AtomicBool = AtomicBool::new(false);

/// Run the chosen candidate's tests and end the process.
///
/// Stdin holds the nonce, the candidate's index, and the seconds after which the process ends
/// itself, should the harness no longer be there to end it.
pub fn run(candidates: &[&[Test]]) -> ! {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input).expect("the harness writes to stdin");
    let mut words = input.split_whitespace();
    let nonce = words.next().expect("a nonce").to_string();
    let index: usize = words.next().expect("an index").parse().expect("a number");
    let seconds: u32 = words.next().expect("a time").parse().expect("a number");
    unsafe { alarm(seconds) };
    drop(input);

    let mut report = private_copy(1);
    let panics = private_copy(2);
    silence_standard_streams();
    panic::set_hook(Box::new(move |info| {
        let mut place = String::from("unknown place");
        if let Some(location) = info.location() {
            let file = location.file().rsplit('/').next().unwrap_or_default();
            ASSERTION.store(file == "driver.rs", Ordering::SeqCst);
            place = format!("{}:{}:{}", file, location.line(), location.column());
        }
        let text = info
            .payload()
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| info.payload().downcast_ref::<&str>().copied())
            .unwrap_or("a value that is not text");
        let shown: String = text.chars().take(2000).collect();
        let _ = (&panics).write_all(format!("panicked at {}:\n{}\n", place, shown).as_bytes());
    }));
    if let Err(reason) = sandbox::confine() {
        say(&mut report, &format!("{} BROKEN {}", nonce, reason));
        unsafe { _exit(99) }
    }
    say(&mut report, &format!("{} START", nonce));

    let tests = candidates[index];
    for test in tests {
        ASSERTION.store(false, Ordering::SeqCst);
        let panicked = panic::catch_unwind(AssertUnwindSafe(test.run)).is_err();
        if panicked != test.should_panic {
            let kind = if !panicked || ASSERTION.load(Ordering::SeqCst) { "assertion" } else { "panic" };
            say(&mut report, &format!("{} FAIL {} {}", nonce, kind, test.name));
            unsafe { _exit(101) }
        }
    }
    if !comparisons_work() {
        say(&mut report, &format!("{} FAIL canary comparisons", nonce));
        unsafe { _exit(101) }
    }
    say(&mut report, &format!("{} PASS {}/{}", nonce, tests.len(), tests.len()));
    unsafe { _exit(0) }
}

/// Unequal things must compare unequal: a candidate may have replaced memcmp.
fn comparisons_work() -> bool {
    let text = black_box(String::from("abc")) != black_box(String::from("abd"));
    let list = black_box(vec![1, 2, 3]) != black_box(vec![1, 2, 4]);
    let bytes = black_box(vec![7u8; 40]) != black_box(vec![8u8; 40]);
    text && list && bytes
}

fn say(report: &mut File, line: &str) {
    let _ = report.write_all(format!("{}\n", line).as_bytes());
}

fn private_copy(descriptor: i32) -> File {
    const F_DUPFD_CLOEXEC: i32 = 1030;
    let copy = unsafe { fcntl(descriptor, F_DUPFD_CLOEXEC, 20) };
    assert!(copy >= 0, "fcntl failed");
    unsafe { File::from_raw_fd(copy) }
}

fn silence_standard_streams() {
    let null = File::options().read(true).write(true).open("/dev/null").expect("/dev/null");
    for descriptor in 0..3 {
        assert!(unsafe { dup2(null.as_raw_fd(), descriptor) } >= 0, "dup2 failed");
    }
}

/// The seccomp filter of the running candidate; every refused call returns EPERM.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod sandbox {
    use super::prctl;

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Instruction {
        code: u16,
        if_true: u8,
        if_false: u8,
        value: u32,
    }

    #[repr(C)]
    struct Program {
        length: u16,
        filter: *const Instruction,
    }

    const LOAD_WORD: u16 = 0x20;
    const JUMP_EQUAL: u16 = 0x15;
    const JUMP_ANY_BIT: u16 = 0x45;
    const RETURN: u16 = 0x06;
    const NUMBER: u32 = 0;
    const ARCHITECTURE: u32 = 4;
    const FIRST_ARGUMENT: u32 = 16;
    const X86_64: u32 = 0xC000_003E;
    const CLONE: u32 = 56;
    const CLONE_THREAD: u32 = 0x0001_0000;
    const KILL: u32 = 0x8000_0000;
    const CLONE3: u32 = 435;
    const NOT_THERE: u32 = 0x0005_0026;
    const REFUSE: u32 = 0x0005_0001;
    const ALLOW: u32 = 0x7FFF_0000;

    /// read write close mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn
    /// writev sched_yield mremap madvise nanosleep getpid exit futex sched_getaffinity
    /// set_tid_address clock_gettime clock_getres clock_nanosleep exit_group tgkill
    /// set_robust_list sigaltstack gettid restart_syscall getrandom rseq gettimeofday time
    const ALLOWED: [u32; 33] = [
        0, 1, 3, 9, 10, 11, 12, 13, 14, 15, 20, 24, 25, 28, 35, 39, 60, 202, 204, 218, 228, 229,
        230, 231, 234, 273, 131, 186, 219, 318, 334, 96, 201,
    ];

    fn step(code: u16, value: u32, if_true: u8, if_false: u8) -> Instruction {
        Instruction { code, if_true, if_false, value }
    }

    pub fn confine() -> Result<(), &'static str> {
        const PR_SET_DUMPABLE: i32 = 4;
        const PR_SET_NO_NEW_PRIVS: i32 = 38;
        const PR_SET_SECCOMP: i32 = 22;
        let mut filter = vec![
            step(LOAD_WORD, ARCHITECTURE, 0, 0),
            step(JUMP_EQUAL, X86_64, 1, 0),
            step(RETURN, KILL, 0, 0),
            step(LOAD_WORD, NUMBER, 0, 0),
            // Without clone3 the C library starts threads by clone, whose flags a filter can read.
            step(JUMP_EQUAL, CLONE3, 0, 1),
            step(RETURN, NOT_THERE, 0, 0),
        ];
        for number in ALLOWED {
            filter.push(step(JUMP_EQUAL, number, 0, 1));
            filter.push(step(RETURN, ALLOW, 0, 0));
        }
        filter.push(step(JUMP_EQUAL, CLONE, 0, 3));
        filter.push(step(LOAD_WORD, FIRST_ARGUMENT, 0, 0));
        filter.push(step(JUMP_ANY_BIT, CLONE_THREAD, 0, 1));
        filter.push(step(RETURN, ALLOW, 0, 0));
        filter.push(step(RETURN, REFUSE, 0, 0));
        let program = Program { length: filter.len() as u16, filter: filter.as_ptr() };
        unsafe {
            if prctl(PR_SET_DUMPABLE, 0usize, 0usize, 0usize, 0usize) != 0 {
                return Err("prctl(PR_SET_DUMPABLE)");
            }
            if prctl(PR_SET_NO_NEW_PRIVS, 1usize, 0usize, 0usize, 0usize) != 0 {
                return Err("prctl(PR_SET_NO_NEW_PRIVS)");
            }
            if prctl(PR_SET_SECCOMP, 2usize, &program as *const Program, 0usize, 0usize) != 0 {
                return Err("prctl(PR_SET_SECCOMP)");
            }
        }
        Ok(())
    }
}

/// Elsewhere Firejail's own filter is the only one.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod sandbox {
    pub fn confine() -> Result<(), &'static str> {
        Ok(())
    }
}
