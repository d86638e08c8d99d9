// The driver of a kill matrix: every case on every mutant. What follows this file defines
// MUTANTS, how many there are, and CASES; the functions that cases call ask `mutant()` whose to take.
//
// Each mutant runs in a process of its own, which writes a byte for each case. A case that ends the
// process, or takes longer than a case may, has noticed the mutant, and another process goes on
// behind it.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

static MUTANT: AtomicUsize = AtomicUsize::new(0);
static CASE: AtomicUsize = AtomicUsize::new(0);

/// Ticks of processor time, of which the kernel counts 100 a second, that a case may take.
const TICKS: u64 = 100;
/// After so many ended processes the other cases of a mutant are not tried.
const ENDED: usize = 3;

fn mutant() -> usize {
    MUTANT.load(SeqCst)
}

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).map(|n| n.parse().unwrap()).collect();
    match numbers[..] {
        [mutant, first] => run(mutant, first),
        _ => (0..MUTANTS).for_each(|mutant| println!("{}", tried(mutant))),
    }
}

/// For each case `.` where it passed, `!` where it noticed; fewer where not all were tried.
fn tried(mutant: usize) -> String {
    let mut found = String::new();
    for _ in 0..ENDED {
        if found.len() == CASES.len() {
            break;
        }
        let mut child = Command::new("/proc/self/exe")
            .args([mutant.to_string(), found.len().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdout.take().unwrap().read_to_string(&mut found).unwrap();
        let ended = !child.wait().unwrap().success();
        if ended && found.len() < CASES.len() {
            found.push('!');
        }
    }
    found
}

fn run(mutant: usize, first: usize) {
    MUTANT.store(mutant, SeqCst);
    std::panic::set_hook(Box::new(|_| ()));
    std::thread::spawn(watch);
    for (index, case) in CASES.iter().enumerate().skip(first) {
        CASE.store(index, SeqCst);
        let passed = std::panic::catch_unwind(case).is_ok();
        print!("{}", if passed { '.' } else { '!' });
        std::io::stdout().flush().unwrap();
    }
    std::process::exit(0)
}

/// End this process when one case takes too long.
fn watch() {
    let (mut case, mut began) = (usize::MAX, 0);
    loop {
        let now = CASE.load(SeqCst);
        if now != case {
            (case, began) = (now, ticks());
        } else if ticks() - began > TICKS {
            std::process::abort();
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// The processor time that this process has used.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// In the place of libc's, which the standard library asks for the keys of its hash maps: the order of
/// a map is the same in every run.
#[no_mangle]
extern "C" fn getrandom(buffer: *mut u8, length: usize, _flags: u32) -> isize {
    unsafe { std::ptr::write_bytes(buffer, 1, length) };
    length as isize
}
