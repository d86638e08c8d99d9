//! What every test driver links with: it runs candidates' tests and reports how they ended.
//!
//! The driver's main process runs no code of any candidate. It reads from stdin
//!
//!     WALL_SECONDS CPU_SECONDS
//!     INDEX NONCE                  (one line a candidate)
//!
//! and, for each line, starts a child that runs that candidate's tests, waits for it, and writes
//! `INDEX WAIT_STATUS CPU_SECONDS REPORT_BYTES MESSAGE_BYTES`, the child's report and its panic
//! message.
//!
//! A child, before any code of its candidate runs, forgets the nonces of the others, moves its
//! report to a private pipe, points stdin, stdout and stderr at /dev/null (so floods cost
//! nothing), limits its time, and installs a seccomp filter that leaves memory, threads, clocks
//! and randomness, and nothing that opens, starts, signals or connects. It then reports
//!
//!     NONCE START
//!     NONCE PASS k/k        or        NONCE FAIL assertion|panic|canary TEST
//!
//! A candidate that ends its process early, in whatever way, never reports PASS. Safe code can
//! learn neither the nonce nor the pipe; unsafe code could search this process's memory for them,
//! so the harness flags such candidates.

use std::fmt::Debug;
use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::io::{AsRawFd, FromRawFd};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};

/// One test of a problem.
pub struct Test {
    pub name: &'static str,
    pub should_panic: bool,
    pub run: fn(),
}

/// A candidate's functions, to be installed where the tests find them, and the tests.
pub struct Candidate {
    pub install: fn(),
    pub tests: &'static [Test],
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

/// What `wait4` tells: processor time in user and in kernel mode, as seconds and microseconds.
#[repr(C)]
#[derive(Default)]
struct Usage {
    user: [i64; 2],
    kernel: [i64; 2],
    rest: [i64; 14],
}

const REPORT_LIMIT: usize = 512;
const MESSAGE_LIMIT: usize = 4000;

extern "C" {
    fn alarm(seconds: u32) -> u32;
    fn dup2(from: i32, to: i32) -> i32;
    fn fork() -> i32;
    fn pipe2(ends: *mut i32, flags: i32) -> i32;
    fn prctl(option: i32, ...) -> i32;
    fn setrlimit(resource: i32, limits: *const [u64; 2]) -> i32;
    fn wait4(process: i32, status: *mut i32, options: i32, usage: *mut Usage) -> i32;
    fn _exit(status: i32) -> !;
}

/// Run the candidates named on stdin, one after the other.
pub fn run(candidates: &[Candidate]) {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input).expect("the harness writes to stdin");
    let mut words = input.split_whitespace().map(str::to_string).collect::<Vec<_>>().into_iter();
    wipe(input);
    let wall = number(words.next()) as u32;
    let cpu = number(words.next());
    let mut work: Vec<(usize, String)> = Vec::new();
    while let Some(index) = words.next() {
        work.push((number(Some(index)) as usize, words.next().expect("a nonce")));
    }
    for position in 0..work.len() {
        let (report_out, report_in) = pipe();
        let (message_out, message_in) = pipe();
        let child = unsafe { fork() };
        assert!(child >= 0, "fork failed");
        if child == 0 {
            let (index, nonce) = (work[position].0, work[position].1.clone());
            work.drain(..).for_each(|(_, other)| wipe(other));
            become_candidate(&candidates[index], nonce, report_in, message_in, wall, cpu);
        }
        drop((report_in, message_in));
        let report = read_up_to(report_out, REPORT_LIMIT);
        let message = read_up_to(message_out, MESSAGE_LIMIT);
        let (mut status, mut usage) = (0, Usage::default());
        assert!(unsafe { wait4(child, &mut status, 0, &mut usage) } == child, "wait4 failed");
        let micros = usage.user[1] + usage.kernel[1];
        let seconds = usage.user[0] + usage.kernel[0] + micros / 1_000_000;
        let (index, sizes) = (work[position].0, (report.len(), message.len()));
        let mut output = std::io::stdout().lock();
        let head = format!("{} {} {} {} {}\n", index, status, seconds, sizes.0, sizes.1);
        for part in [head.as_bytes(), &report, &message] {
            output.write_all(part).expect("the harness reads");
        }
        output.flush().expect("the harness reads");
    }
}

fn number(word: Option<String>) -> u64 {
    word.expect("a word").parse().expect("a number")
}

/// Overwrite a text before it is freed, so that a child does not inherit it.
fn wipe(mut text: String) {
    for byte in unsafe { text.as_bytes_mut() } {
        unsafe { std::ptr::write_volatile(byte, 0) };
    }
}

fn pipe() -> (File, File) {
    const O_CLOEXEC: i32 = 0o2000000;
    let mut ends = [0; 2];
    assert!(unsafe { pipe2(ends.as_mut_ptr(), O_CLOEXEC) } == 0, "pipe2 failed");
    unsafe { (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1])) }
}

/// Everything up to the end of the stream, of which `limit` bytes are kept.
fn read_up_to(mut stream: File, limit: usize) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let count = stream.read(&mut chunk).expect("a pipe can be read");
        if count == 0 {
            kept.truncate(limit);
            return kept;
        }
        if kept.len() < limit {
            kept.extend_from_slice(&chunk[..count]);
        }
    }
}

static ASSERTION: AtomicBool = AtomicBool::new(false);

fn become_candidate(
    candidate: &Candidate,
    nonce: String,
    mut report: File,
    message: File,
    wall: u32,
    cpu: u64,
) -> ! {
    const RLIMIT_CPU: i32 = 0;
    silence_standard_streams();
    report_panics(message);
    unsafe { alarm(wall) };
    let limited = unsafe { setrlimit(RLIMIT_CPU, &[cpu, cpu + 1]) } == 0;
    let confined = if limited { sandbox::confine() } else { Err("setrlimit") };
    if let Err(reason) = confined {
        say(&mut report, &format!("{} BROKEN {}", nonce, reason));
        unsafe { _exit(99) }
    }
    say(&mut report, &format!("{} START", nonce));
    (candidate.install)();
    for test in candidate.tests {
        ASSERTION.store(false, Ordering::SeqCst);
        let panicked = panic::catch_unwind(AssertUnwindSafe(test.run)).is_err();
        if panicked != test.should_panic {
            let asserted = !panicked || ASSERTION.load(Ordering::SeqCst);
            let kind = if asserted { "assertion" } else { "panic" };
            say(&mut report, &format!("{} FAIL {} {}", nonce, kind, test.name));
            unsafe { _exit(101) }
        }
    }
    if !comparisons_work() {
        say(&mut report, &format!("{} FAIL canary comparisons", nonce));
        unsafe { _exit(101) }
    }
    let count = candidate.tests.len();
    say(&mut report, &format!("{} PASS {}/{}", nonce, count, count));
    unsafe { _exit(0) }
}

/// Panic messages go to the harness, without what differs from run to run.
fn report_panics(message: File) {
    panic::set_hook(Box::new(move |info| {
        let mut place = String::from("unknown place");
        if let Some(location) = info.location() {
            let file = location.file().rsplit('/').next().unwrap_or_default();
            ASSERTION.store(file == "tests.rs", Ordering::SeqCst);
            place = format!("{}:{}:{}", file, location.line(), location.column());
        }
        let text = info
            .payload()
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| info.payload().downcast_ref::<&str>().copied())
            .unwrap_or("a value that is not text");
        let shown: String = text.chars().take(2000).collect();
        let _ = (&message).write_all(format!("panicked at {}:\n{}\n", place, shown).as_bytes());
    }));
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

fn silence_standard_streams() {
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null");
    let null = null.expect("/dev/null can be opened");
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
    /// set_tid_address clock_gettime clock_getres clock_nanosleep exit_group
    /// set_robust_list sigaltstack gettid restart_syscall getrandom rseq gettimeofday time
    const ALLOWED: [u32; 32] = [
        0, 1, 3, 9, 10, 11, 12, 13, 14, 15, 20, 24, 25, 28, 35, 39, 60, 202, 204, 218, 228, 229,
        230, 231, 273, 131, 186, 219, 318, 334, 96, 201,
    ];

    fn step(code: u16, value: u32, if_true: u8, if_false: u8) -> Instruction {
        Instruction { code, if_true, if_false, value }
    }

    pub fn confine() -> Result<(), &'static str> {
        const PR_SET_PDEATHSIG: i32 = 1;
        const PR_SET_DUMPABLE: i32 = 4;
        const PR_SET_NO_NEW_PRIVS: i32 = 38;
        const PR_SET_SECCOMP: i32 = 22;
        const SIGKILL: usize = 9;
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
        let options = [
            (PR_SET_PDEATHSIG, SIGKILL, "prctl(PR_SET_PDEATHSIG)"),
            (PR_SET_DUMPABLE, 0, "prctl(PR_SET_DUMPABLE)"),
            (PR_SET_NO_NEW_PRIVS, 1, "prctl(PR_SET_NO_NEW_PRIVS)"),
        ];
        for (option, value, name) in options {
            if unsafe { prctl(option, value, 0usize, 0usize, 0usize) } != 0 {
                return Err(name);
            }
        }
        let filtered =
            unsafe { prctl(PR_SET_SECCOMP, 2usize, &program as *const Program, 0usize, 0usize) };
        if filtered == 0 { Ok(()) } else { Err("prctl(PR_SET_SECCOMP)") }
    }
}

/// Elsewhere Firejail's own filter is the only one.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod sandbox {
    pub fn confine() -> Result<(), &'static str> {
        Ok(())
    }
}
