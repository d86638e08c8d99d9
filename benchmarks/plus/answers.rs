//! Calls an answer with arguments from a file, and writes what they return.
//!
//! `answers CASES FROM`: a line of CASES is a call, its words the arguments; one line of JSON comes for
//! each call from the number FROM on: what was returned, or nothing where the answer panicked or took
//! too many steps.

use std::any::Any;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::io::Write;
use std::str::SplitWhitespace;

const STEPS: u64 = 200_000;
const STACK: usize = 512 << 20;

thread_local!(static TAKEN: Cell<u64> = const { Cell::new(0) });

/// Counts a round of a loop, or a call; too many end the answer.
pub fn step() {
    TAKEN.with(|taken| {
        taken.set(taken.get() + 1);
        if taken.get() > STEPS {
            panic!("too many steps");
        }
    });
}

pub type Words<'a> = SplitWhitespace<'a>;

pub trait Get {
    fn get(words: &mut Words) -> Self;
}

pub trait Put {
    fn put(&self) -> String;
}

pub fn get<T: Get>(words: &mut Words) -> T {
    T::get(words)
}

fn text(word: &str) -> String {
    let bytes = (1..word.len()).step_by(2).map(|at| u8::from_str_radix(&word[at..at + 2], 16));
    String::from_utf8(bytes.map(Result::unwrap).collect()).unwrap()
}

macro_rules! plain {
    ($($kind:ty),*) => {$(
        impl Get for $kind {
            fn get(words: &mut Words) -> Self { words.next().unwrap().parse().unwrap() }
        }
        impl Put for $kind {
            fn put(&self) -> String { self.to_string() }
        }
    )*};
}
plain!(i32, i64, u32, u64, usize, bool);

macro_rules! float {
    ($($kind:ty),*) => {$(
        impl Get for $kind {
            fn get(words: &mut Words) -> Self { words.next().unwrap().parse().unwrap() }
        }
        impl Put for $kind {
            fn put(&self) -> String {
                if self.is_finite() { format!("{self:?}") } else { format!("\"{self:?}\"") }
            }
        }
    )*};
}
float!(f32, f64);

impl Get for String {
    fn get(words: &mut Words) -> Self {
        text(words.next().unwrap())
    }
}

impl Get for &'static str {
    fn get(words: &mut Words) -> Self {
        text(words.next().unwrap()).leak()
    }
}

impl Get for Box<dyn Any> {
    fn get(words: &mut Words) -> Self {
        let word = words.next().unwrap();
        match &word[..1] {
            "i" => Box::new(word[1..].parse::<i32>().unwrap()),
            "f" => Box::new(word[1..].parse::<f64>().unwrap()),
            "s" => Box::new(&*text(word).leak()),
            _ => Box::new(text(word)),
        }
    }
}

impl<T: Get> Get for Vec<T> {
    fn get(words: &mut Words) -> Self {
        let length: usize = get(words);
        (0..length).map(|_| get(words)).collect()
    }
}

impl<K: Get + Eq + Hash, V: Get> Get for HashMap<K, V> {
    fn get(words: &mut Words) -> Self {
        let length: usize = get(words);
        (0..length).map(|_| (get(words), get(words))).collect()
    }
}

impl Put for str {
    fn put(&self) -> String {
        let mut json = String::from("\"");
        for letter in self.chars() {
            match letter {
                '"' | '\\' => json.extend(['\\', letter]),
                ' '..='~' => json.push(letter),
                _ => json.push_str(&format!("\\u{:04x}", (letter as u32).min(0xffff))),
            }
        }
        json + "\""
    }
}

impl Put for String {
    fn put(&self) -> String {
        self.as_str().put()
    }
}

impl Put for char {
    fn put(&self) -> String {
        self.to_string().put()
    }
}

impl<T: Put + ?Sized> Put for &T {
    fn put(&self) -> String {
        (**self).put()
    }
}

impl<T: Put> Put for Vec<T> {
    fn put(&self) -> String {
        format!("[{}]", self.iter().map(Put::put).collect::<Vec<_>>().join(","))
    }
}

impl<T: Put> Put for Option<T> {
    fn put(&self) -> String {
        self.as_ref().map_or("null".to_string(), Put::put)
    }
}

impl<A: Put, B: Put> Put for (A, B) {
    fn put(&self) -> String {
        format!("[{},{}]", self.0.put(), self.1.put())
    }
}

impl<K: Put, V: Put> Put for HashMap<K, V> {
    fn put(&self) -> String {
        let pairs = self.iter().map(|(key, value)| format!("[{},{}]", key.put(), value.put()));
        format!("[{}]", pairs.collect::<Vec<_>>().join(","))
    }
}

pub fn serve(call: fn(&mut Words) -> String) {
    let arguments: Vec<String> = std::env::args().collect();
    let cases = std::fs::read_to_string(&arguments[1]).unwrap();
    let from: usize = arguments[2].parse().unwrap();
    std::panic::set_hook(Box::new(|_| {}));
    let work = move || {
        for case in cases.lines().skip(from) {
            TAKEN.with(|taken| taken.set(0));
            let answered = std::panic::catch_unwind(|| call(&mut case.split_whitespace()));
            let mut out = std::io::stdout().lock();
            writeln!(out, "{}", answered.unwrap_or_default()).unwrap();
            out.flush().unwrap();
        }
    };
    std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap();
}

/// In the place of libc's, which the standard library asks for the keys of its hash maps: the order
/// of a map is the same in every run.
#[no_mangle]
extern "C" fn getrandom(buffer: *mut u8, length: usize, _flags: u32) -> isize {
    unsafe { std::ptr::write_bytes(buffer, 1, length) };
    length as isize
}
