//! What test binaries and answers' binaries link with: it runs tests and reports how they ended.
//!
//! The main process of a test binary runs no code of any answer. It reads from stdin
//!
//!     WALL_SECONDS CPU_SECONDS
//!     INDEX SUITE NONCE            (one line an answer)
//!
//! and, for each line, starts the answer's process, where the tests are apart from the answer (the
//! only argument is then the answers' binary), and a child that runs the suite. It waits for the
//! child, ends the answer's process, and writes `INDEX WAIT_STATUS CPU_SECONDS REPORT_BYTES
//! MESSAGE_BYTES`, the child's report and what panics said in both. The processor time is that of
//! both together; where the child has lost the answer's process, the wait status is that process's.
//!
//! The answer's process gets its limits and a filter before it is another program, and a stricter
//! filter before any code of its answer runs (`system.rs`). It has two pipes to the tests
//! (`channel.rs`), one for panic messages, and /dev/null as its standard streams.
//!
//! The child, before it runs tests, forgets the nonces of the others, moves its report to a private
//! pipe, points stdin, stdout and stderr at /dev/null, limits its time, and confines itself. It
//! then reports
//!
//!     NONCE START
//!     NONCE PASS k/k    or    NONCE FAIL assertion|panic|canary|nonsense TEST    or    NONCE LOST
//!
//! Where tests and answer share the child, the nonce and a canary stand between the answer and a
//! forged report; where they do not, the answer has no way to either.

mod alike;
mod channel;
mod system;
mod wire;
mod wire_any;

pub use channel::{ask, serve, sure};
pub use wire::{Lent, Message, Received, Sent};

use std::fmt::Debug;
use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::io::{AsRawFd, FromRawFd};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Mutex;
use system::{Polled, Usage, READABLE};

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

const REPORT_LIMIT: usize = 512;
const MESSAGE_LIMIT: usize = 4000;
const FLOOD: usize = 64 << 20;

/// Which of the answers and suites to run, and what only its tests may know.
struct Order {
    index: usize,
    suite: usize,
    nonce: String,
}

/// An answer's process as the main process knows it.
struct Answer {
    process: i32,
    requests: File,
    replies: File,
}

/// Run the suites named on stdin, one after the other.
pub fn run(suites: &[&'static [Test]]) {
    system::hide().expect("a process may hide");
    let answers = std::env::args_os().nth(1);
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input).expect("the harness writes to stdin");
    let mut words = input.split_whitespace().map(str::to_string).collect::<Vec<_>>().into_iter();
    wipe(input);
    let wall = number(words.next()) as u32;
    let cpu = number(words.next());
    let mut orders: Vec<Order> = Vec::new();
    while let Some(index) = words.next() {
        let (index, suite) = (number(Some(index)) as usize, number(words.next()) as usize);
        orders.push(Order { index, suite, nonce: words.next().expect("a nonce") });
    }
    for position in 0..orders.len() {
        let (mut report_out, report_in) = system::pipe();
        let (message_out, message_in) = system::pipe();
        let mut message_out = Some(message_out);
        let answer = answers
            .as_ref()
            .map(|path| start_answer(path.as_bytes(), orders[position].index, &message_in, cpu));
        let child = unsafe { system::fork() };
        assert!(child >= 0, "fork failed");
        if child == 0 {
            drop((report_out, message_out));
            let order = orders.swap_remove(position);
            orders.drain(..).for_each(|other| wipe(other.nonce));
            run_tests(suites[order.suite], order.nonce, answer, report_in, message_in, wall, cpu);
        }
        drop((report_in, message_in));
        let process = answer.map(|answer| answer.process); // its pipes are the child's alone
        let (mut report, mut message) = drain(&mut report_out, &mut message_out);
        let (mut status, tested) = wait(child);
        let mut answered = Usage::default();
        if let Some(process) = process {
            let lost = report.ends_with(b" LOST\n");
            let ended = if lost { has_ended(process) } else { None };
            if lost && ended.is_none() {
                report.truncate(report.len() - b"LOST\n".len());
                report.extend_from_slice(b"FAIL nonsense answer\n");
            }
            (status, answered) = ended.unwrap_or_else(|| {
                unsafe { system::kill(process, system::KILL) };
                (status, wait(process).1)
            });
        }
        let seconds = tested.seconds_with(&answered);
        while message_out.as_mut().is_some_and(|out| read_some(out, &mut message, MESSAGE_LIMIT) > 0) {}
        let sizes = (report.len(), message.len());
        let index = orders[position].index;
        let head = format!("{} {} {} {} {}\n", index, status, seconds, sizes.0, sizes.1);
        let mut output = std::io::stdout().lock();
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

fn wait(process: i32) -> (i32, Usage) {
    let (mut status, mut usage) = (0, Usage::default());
    let found = unsafe { system::wait4(process, &mut status, 0, &mut usage) };
    assert!(found == process, "wait4 failed");
    (status, usage)
}

/// How a process ended that is about to; None for one that goes on, and only closed its pipes.
fn has_ended(process: i32) -> Option<(i32, Usage)> {
    const WNOHANG: i32 = 1;
    for _ in 0..2000 {
        let (mut status, mut usage) = (0, Usage::default());
        if unsafe { system::wait4(process, &mut status, WNOHANG, &mut usage) } == process {
            return Some((status, usage));
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    None
}

/// The report up to its end, and what meanwhile came of messages; neither fills its pipe.
///
/// Who floods the messages finds their pipe closed.
fn drain(report: &mut File, message: &mut Option<File>) -> (Vec<u8>, Vec<u8>) {
    let (mut reported, mut said, mut size) = (Vec::new(), Vec::new(), 0);
    loop {
        let mut polled = [Some(&*report), message.as_ref()].map(|pipe| Polled {
            descriptor: pipe.map_or(-1, |pipe| pipe.as_raw_fd()),
            events: READABLE,
            found: 0,
        });
        assert!(unsafe { system::poll(polled.as_mut_ptr(), 2, -1) } > 0, "poll failed");
        if let Some(pipe) = message.as_mut().filter(|_| polled[1].found != 0) {
            let count = read_some(pipe, &mut said, MESSAGE_LIMIT);
            size += count;
            if count == 0 || size > FLOOD {
                *message = None;
            }
        }
        if polled[0].found != 0 && read_some(report, &mut reported, REPORT_LIMIT) == 0 {
            return (reported, said);
        }
    }
}

/// Read once, keeping `limit` bytes in all; how many have come, none at the end of the stream.
fn read_some(stream: &mut File, kept: &mut Vec<u8>, limit: usize) -> usize {
    let mut chunk = [0; 4096];
    let count = stream.read(&mut chunk).expect("a pipe can be read");
    if kept.len() < limit {
        kept.extend_from_slice(&chunk[..count]);
        kept.truncate(limit);
    }
    count
}

/// Start the answer of this index in a process of its own.
fn start_answer(path: &[u8], index: usize, message: &File, cpu: u64) -> Answer {
    let (requests_out, mut requests) = system::pipe();
    channel::give_order(&mut requests, index);
    let (replies, replies_in) = system::pipe();
    let process = unsafe { system::fork() };
    assert!(process >= 0, "fork failed");
    if process == 0 {
        let descriptors = [
            (requests_out.as_raw_fd(), channel::REQUESTS),
            (replies_in.as_raw_fd(), channel::REPLIES),
            (message.as_raw_fd(), channel::MESSAGES),
        ];
        become_answer(path, index, descriptors, cpu)
    }
    Answer { process, requests, replies }
}

fn become_answer(path: &[u8], index: usize, descriptors: [(i32, i32); 3], cpu: u64) -> ! {
    const F_DUPFD_CLOEXEC: i32 = 1030;
    const OUT_OF_THE_WAY: i32 = 20;
    silence_standard_streams();
    let apart = descriptors
        .map(|(from, to)| (unsafe { system::fcntl(from, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY) }, to));
    let mut ready = true;
    for (from, to) in apart {
        ready &= unsafe { system::dup2(from, to) } == to;
    }
    // By a name that is the same wherever it lies: a program can see how it was called.
    let slash = path.iter().rposition(|byte| *byte == b'/').expect("a path from the root");
    let folder = [&path[..slash], b"\0"].concat();
    let name = [b"./", &path[slash + 1..], b"\0"].concat();
    let words = [b"answer\0".as_ptr(), std::ptr::null()];
    let none = [std::ptr::null()];
    ready = ready && unsafe { system::chdir(folder.as_ptr()) } == 0;
    ready = ready && system::limit_cpu(cpu) && system::settle().is_ok();
    if ready && system::confine_start().is_ok() {
        unsafe { system::execve(name.as_ptr(), words.as_ptr(), none.as_ptr()) };
    }
    system::exit(127) // without a greeting: the child reports that the sandbox is broken
}

/// The main function of an answers' binary: serve the answer whose index comes before all requests.
pub fn answer(answers: &[fn() -> !]) {
    if system::hide().is_err() || system::confine().is_err() {
        system::exit(126)
    }
    let index = channel::order();
    report_panics(unsafe { File::from_raw_fd(channel::MESSAGES) });
    answers[index]()
}

static ASSERTION: AtomicBool = AtomicBool::new(false);

/// Where the tests' process reports, and with what nonce.
static REPORT: Mutex<Option<(File, String)>> = Mutex::new(None);

fn run_tests(
    tests: &[Test],
    nonce: String,
    answer: Option<Answer>,
    report: File,
    message: File,
    wall: u32,
    cpu: u64,
) -> ! {
    silence_standard_streams();
    report_panics(message);
    *REPORT.lock().unwrap() = Some((report, nonce));
    unsafe { system::alarm(wall) };
    let limited = if system::limit_cpu(cpu) { system::settle() } else { Err("setrlimit") };
    let confine = if answer.is_some() { system::confine_tests } else { system::confine };
    if let Err(reason) = limited.and_then(|_| confine()) {
        broken(reason);
    }
    if answer.map_or(false, |answer| !channel::connect(answer.requests, answer.replies)) {
        broken("the answer's process");
    }
    say("START");
    for test in tests {
        ASSERTION.store(false, Ordering::SeqCst);
        let panicked = panic::catch_unwind(AssertUnwindSafe(test.run)).is_err();
        if panicked != test.should_panic {
            let asserted = !panicked || ASSERTION.load(Ordering::SeqCst);
            let kind = if asserted { "assertion" } else { "panic" };
            failed(&format!("FAIL {} {}", kind, test.name));
        }
    }
    if !comparisons_work() {
        failed("FAIL canary comparisons");
    }
    say(&format!("PASS {}/{}", tests.len(), tests.len()));
    system::exit(0)
}

fn say(line: &str) {
    if let Some((report, nonce)) = REPORT.lock().unwrap().as_mut() {
        let _ = report.write_all(format!("{} {}\n", nonce, line).as_bytes());
    }
}

fn broken(reason: &str) -> ! {
    say(&format!("BROKEN {}", reason));
    system::exit(99)
}

/// Report how the tests failed, and end.
fn failed(line: &str) -> ! {
    say(line);
    system::exit(101)
}

/// A panic that goes on here has begun in the answer's process.
fn panicked_elsewhere() {
    ASSERTION.store(false, Ordering::SeqCst);
}

/// Panic messages go to the harness, without what differs from run to run.
fn report_panics(message: File) {
    panic::set_hook(Box::new(move |info| {
        let mut place = String::from("unknown place");
        if let Some(location) = info.location() {
            // Of the path of a file in a batch, such as c7-answer.rs, what is the same in any.
            let file = location.file().rsplit(['/', '-']).next().unwrap_or_default();
            ASSERTION.store(file == "tests.rs", Ordering::SeqCst);
            place = format!("{}:{}:{}", file, location.line(), location.column());
        }
        let shown: String = channel::text_of(info.payload()).chars().take(2000).collect();
        let _ = (&message).write_all(format!("panicked at {}:\n{}\n", place, shown).as_bytes());
    }));
}

/// Unequal things must compare unequal: an answer in the same process may have replaced memcmp.
fn comparisons_work() -> bool {
    let text = black_box(String::from("abc")) != black_box(String::from("abd"));
    let list = black_box(vec![1, 2, 3]) != black_box(vec![1, 2, 4]);
    let bytes = black_box(vec![7u8; 40]) != black_box(vec![8u8; 40]);
    text && list && bytes
}

fn silence_standard_streams() {
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null");
    let null = null.expect("/dev/null can be opened");
    for descriptor in 0..3 {
        assert!(unsafe { system::dup2(null.as_raw_fd(), descriptor) } >= 0, "dup2 failed");
    }
}
