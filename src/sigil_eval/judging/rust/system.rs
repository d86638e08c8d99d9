//! What the processes ask of the kernel: filters, limits, pipes. On x86-64 without the C library
//! where an answer's library is linked in, which could have put its own functions in the place.

use std::fs::File;
use std::os::unix::io::{AsRawFd, FromRawFd};

/// What `wait4` tells: processor time in user and in kernel mode, as seconds and microseconds.
#[repr(C)]
#[derive(Default)]
pub struct Usage {
    user: [i64; 2],
    kernel: [i64; 2],
    rest: [i64; 14],
}

impl Usage {
    /// With another's, rounded down.
    pub fn seconds_with(&self, other: &Usage) -> i64 {
        (self.microseconds() + other.microseconds()) / 1_000_000
    }

    fn microseconds(&self) -> i64 {
        (self.user[0] + self.kernel[0]) * 1_000_000 + self.user[1] + self.kernel[1]
    }
}

#[repr(C)]
pub struct Polled {
    pub descriptor: i32,
    pub events: i16,
    pub found: i16,
}

pub const READABLE: i16 = 1;
pub const KILL: i32 = 9;

extern "C" {
    pub fn alarm(seconds: u32) -> u32;
    pub fn chdir(path: *const u8) -> i32;
    pub fn dup2(from: i32, to: i32) -> i32;
    pub fn execve(path: *const u8, words: *const *const u8, variables: *const *const u8) -> i32;
    pub fn fcntl(descriptor: i32, command: i32, ...) -> i32;
    pub fn fork() -> i32;
    fn ioctl(descriptor: i32, request: u64, ...) -> i32;
    pub fn kill(process: i32, signal: i32) -> i32;
    pub fn poll(polled: *mut Polled, count: u64, milliseconds: i32) -> i32;
    fn pipe2(ends: *mut i32, flags: i32) -> i32;
    fn setrlimit(resource: i32, limits: *const [u64; 2]) -> i32;
    pub fn wait4(process: i32, status: *mut i32, options: i32, usage: *mut Usage) -> i32;
    #[cfg(not(target_arch = "x86_64"))]
    fn prctl(option: i32, ...) -> i32;
    #[cfg(not(target_arch = "x86_64"))]
    fn _exit(status: i32) -> !;
}

/// A pipe that no program inherits: its end to read from, and its end to write to.
pub fn pipe() -> (File, File) {
    const O_CLOEXEC: i32 = 0o2000000;
    let mut ends = [0; 2];
    assert!(unsafe { pipe2(ends.as_mut_ptr(), O_CLOEXEC) } == 0, "pipe2 failed");
    unsafe { (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1])) }
}

/// Whether a pipe has something to read, or has come to its end, within so many milliseconds.
pub fn is_readable(pipe: &File, milliseconds: i32) -> bool {
    let mut polled = Polled { descriptor: pipe.as_raw_fd(), events: READABLE, found: 0 };
    unsafe { poll(&mut polled, 1, milliseconds) > 0 }
}

/// How many bytes nobody has read yet of what was written to a pipe.
pub fn unread(pipe: &File) -> i32 {
    const FIONREAD: u64 = 0x541B;
    let mut count = 0;
    if unsafe { ioctl(pipe.as_raw_fd(), FIONREAD, &mut count as *mut i32) } == 0 { count } else { 0 }
}

/// Give this process so many seconds of processor time, and a second to take the hint.
pub fn limit_cpu(seconds: u64) -> bool {
    const RLIMIT_CPU: i32 = 0;
    unsafe { setrlimit(RLIMIT_CPU, &[seconds, seconds + 1]) == 0 }
}

/// End with the parent, close /proc/PID to other processes, and gain no rights any more.
pub fn settle() -> Result<(), &'static str> {
    const PR_SET_PDEATHSIG: usize = 1;
    const PR_SET_NO_NEW_PRIVS: usize = 38;
    if control(PR_SET_PDEATHSIG, KILL as usize, 0) != 0 {
        return Err("prctl(PR_SET_PDEATHSIG)");
    }
    if control(PR_SET_NO_NEW_PRIVS, 1, 0) != 0 {
        return Err("prctl(PR_SET_NO_NEW_PRIVS)");
    }
    hide()
}

/// Close this process's memory and descriptors to others of the same user.
pub fn hide() -> Result<(), &'static str> {
    const PR_SET_DUMPABLE: usize = 4;
    if control(PR_SET_DUMPABLE, 0, 0) == 0 { Ok(()) } else { Err("prctl(PR_SET_DUMPABLE)") }
}

#[cfg(target_arch = "x86_64")]
fn control(option: usize, value: usize, more: usize) -> isize {
    system_call(157, [option, value, more, 0, 0])
}

#[cfg(not(target_arch = "x86_64"))]
fn control(option: usize, value: usize, more: usize) -> isize {
    unsafe { prctl(option as i32, value, more, 0usize, 0usize) as isize }
}

#[cfg(target_arch = "x86_64")]
pub fn exit(status: i32) -> ! {
    loop {
        system_call(231, [status as usize, 0, 0, 0, 0]);
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub fn exit(status: i32) -> ! {
    unsafe { _exit(status) }
}

#[cfg(target_arch = "x86_64")]
fn system_call(number: usize, arguments: [usize; 5]) -> isize {
    let result: isize;
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            in("r10") arguments[3],
            in("r8") arguments[4],
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    result
}

pub use filter::{confine, confine_start, confine_tests};

/// The seccomp filters; every refused call returns EPERM.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod filter {
    use super::control;

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
    const OPENAT: u32 = 257;
    const PRLIMIT: u32 = 302;
    /// O_WRONLY, O_RDWR, O_CREAT, O_TRUNC and O_APPEND.
    const WRITING: u32 = 0o3103;
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

    /// What a program needs besides until its `main` begins:
    /// execve pread64 fstat newfstatat access faccessat faccessat2 readlink arch_prctl prctl poll
    const ALLOWED_AT_START: [u32; 11] = [59, 17, 5, 262, 21, 269, 439, 89, 158, 157, 7];

    fn step(code: u16, value: u32, if_true: u8, if_false: u8) -> Instruction {
        Instruction { code, if_true, if_false, value }
    }

    /// Leave memory, threads, clocks and randomness, and nothing that opens, starts, signals or
    /// connects.
    pub fn confine() -> Result<(), &'static str> {
        install(rules(&ALLOWED, &[]))
    }

    /// Leave besides what waits for an answer's process.
    pub fn confine_tests() -> Result<(), &'static str> {
        const POLL: u32 = 7;
        const IOCTL: u32 = 16;
        install(rules(&[&ALLOWED[..], &[POLL, IOCTL]].concat(), &[]))
    }

    /// Leave besides what starts a program: it may be loaded, opening files to read them alone.
    pub fn confine_start() -> Result<(), &'static str> {
        const THIRD_ARGUMENT: u32 = 32;
        let reading = [
            step(JUMP_EQUAL, OPENAT, 0, 4),
            step(LOAD_WORD, THIRD_ARGUMENT, 0, 0),
            step(JUMP_ANY_BIT, WRITING, 1, 0),
            step(RETURN, ALLOW, 0, 0),
            step(RETURN, REFUSE, 0, 0),
            // Limits may be asked for, not set.
            step(JUMP_EQUAL, PRLIMIT, 0, 6),
            step(LOAD_WORD, THIRD_ARGUMENT, 0, 0),
            step(JUMP_EQUAL, 0, 0, 3),
            step(LOAD_WORD, THIRD_ARGUMENT + 4, 0, 0),
            step(JUMP_EQUAL, 0, 0, 1),
            step(RETURN, ALLOW, 0, 0),
            step(RETURN, REFUSE, 0, 0),
        ];
        install(rules(&[&ALLOWED[..], &ALLOWED_AT_START[..]].concat(), &reading))
    }

    fn rules(allowed: &[u32], more: &[Instruction]) -> Vec<Instruction> {
        let mut filter = vec![
            step(LOAD_WORD, ARCHITECTURE, 0, 0),
            step(JUMP_EQUAL, X86_64, 1, 0),
            step(RETURN, KILL, 0, 0),
            step(LOAD_WORD, NUMBER, 0, 0),
            // Without clone3 the C library starts threads by clone, whose flags a filter can read.
            step(JUMP_EQUAL, CLONE3, 0, 1),
            step(RETURN, NOT_THERE, 0, 0),
        ];
        for number in allowed {
            filter.push(step(JUMP_EQUAL, *number, 0, 1));
            filter.push(step(RETURN, ALLOW, 0, 0));
        }
        filter.extend_from_slice(more);
        filter.push(step(JUMP_EQUAL, CLONE, 0, 3));
        filter.push(step(LOAD_WORD, FIRST_ARGUMENT, 0, 0));
        filter.push(step(JUMP_ANY_BIT, CLONE_THREAD, 0, 1));
        filter.push(step(RETURN, ALLOW, 0, 0));
        filter.push(step(RETURN, REFUSE, 0, 0));
        filter
    }

    fn install(filter: Vec<Instruction>) -> Result<(), &'static str> {
        const PR_SET_SECCOMP: usize = 22;
        let program = Program { length: filter.len() as u16, filter: filter.as_ptr() };
        let filtered = control(PR_SET_SECCOMP, 2, &program as *const Program as usize);
        if filtered == 0 { Ok(()) } else { Err("prctl(PR_SET_SECCOMP)") }
    }
}

/// Elsewhere Firejail's own filter is the only one.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod filter {
    pub fn confine() -> Result<(), &'static str> {
        Ok(())
    }

    pub fn confine_start() -> Result<(), &'static str> {
        Ok(())
    }

    pub fn confine_tests() -> Result<(), &'static str> {
        Ok(())
    }
}
