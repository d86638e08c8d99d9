//! The two ends of the pipes between the tests' process and the answer's.
//!
//! A request is its length, the number of a function and the arguments; a reply is its length and
//! either RETURNED with the result and what has become of `&mut` arguments, or PANICKED with the
//! message. The answer's process may send what it likes: what is no reply ends the tests.
//!
//! Where a reply is long in coming, a reminder is laid into the pipe of requests: eight bytes that are
//! no length, which `serve` passes over. It has lain there untouched when the reply comes, however
//! long an answer computes or sleeps. Who takes it in the middle of a call reads what is not his and
//! might wait for more for ever, with the tests waiting for him; so does who has announced a longer
//! reply than there is.

use crate::wire::{Message, Received, Sent};
use crate::{failed, system};
use std::any::Any;
use std::fs::File;
use std::io::{Read, Write};
use std::mem::ManuallyDrop;
use std::os::unix::io::FromRawFd;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};

/// The descriptors of the answer's process.
pub const REQUESTS: i32 = 3;
pub const REPLIES: i32 = 4;
pub const MESSAGES: i32 = 5;

const HELLO: u8 = 0x53;
const RETURNED: u8 = 0;
const PANICKED: u8 = 1;
const SIZE_LIMIT: u64 = 256 << 20;
/// Stands where a length stands.
const REMINDER: u64 = u64::MAX;
const PATIENCE_MILLISECONDS: i32 = 1000;
const PANIC_TEXT_LIMIT: usize = 64 << 10;

/// Where the tests' process writes requests and reads replies; one call at a time.
static CALLS: Mutex<Option<(File, File)>> = Mutex::new(None);

/// Use these pipes for calls; false where no answer's process has begun at their other ends.
pub fn connect(requests: File, mut replies: File) -> bool {
    let mut hello = [0];
    let begun = replies.read_exact(&mut hello).is_ok() && hello[0] == HELLO;
    *CALLS.lock().unwrap_or_else(PoisonError::into_inner) = Some((requests, replies));
    begun
}

/// Call a function of the answer; the message holds its result. Panics where it does.
pub fn ask(function: u32, write: impl FnOnce(&mut Vec<u8>)) -> Message {
    let mut request = new_message();
    request.extend_from_slice(&function.to_le_bytes());
    write(&mut request);
    let mut reply = {
        let mut calls = CALLS.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((requests, replies)) = calls.as_mut() else { failed("LOST") };
        if !write_message(requests, request) {
            failed("LOST");
        }
        match read_reply(requests, replies) {
            Some(bytes) => Message::new(bytes),
            None => failed("LOST"),
        }
    };
    reply.leak();
    match reply.byte() {
        Some(RETURNED) => reply,
        Some(PANICKED) => panic_again(reply),
        _ => failed("FAIL nonsense answer"),
    }
}

/// What was read of a reply; ends the process where that was no value.
pub fn sure<T>(value: Option<T>) -> T {
    value.unwrap_or_else(|| failed("FAIL nonsense answer"))
}

/// The panic goes on here; its message has been reported where it began.
fn panic_again(mut reply: Message) -> ! {
    let is_string = sure(<bool as Received<()>>::receive(&mut reply));
    let text = sure(<String as Received<()>>::receive(&mut reply));
    sure(reply.ended());
    crate::panicked_elsewhere();
    let payload: Box<dyn Any + Send> =
        if is_string { Box::new(text) } else { Box::new(&*Box::leak(text.into_boxed_str())) };
    panic::resume_unwind(payload)
}

/// Tell an answer's process which answer it is.
pub fn give_order(requests: &mut File, index: usize) {
    requests.write_all(&(index as u64).to_le_bytes()).expect("a pipe takes eight bytes");
}

/// Which answer this process is.
pub fn order() -> usize {
    let mut index = [0; 8];
    if descriptor(REQUESTS).read_exact(&mut index).is_err() {
        system::exit(1);
    }
    u64::from_le_bytes(index) as usize
}

/// What the answer's process does: say that it has begun, and answer requests until they end.
pub fn serve(mut call: impl FnMut(u32, &mut Message, &mut Vec<u8>) -> Option<()>) -> ! {
    let (mut requests, mut replies) = (descriptor(REQUESTS), descriptor(REPLIES));
    if replies.write_all(&[HELLO]).is_err() {
        system::exit(1);
    }
    while let Some(bytes) = read_request(&mut requests) {
        let mut message = Message::new(bytes);
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
            let mut reply = new_message();
            reply.push(RETURNED);
            let function = <u32 as Received<()>>::receive(&mut message)?;
            call(function, &mut message, &mut reply)?;
            Some(reply)
        }));
        let reply = match outcome {
            Ok(Some(reply)) => reply,
            Ok(None) => system::exit(1),
            Err(payload) => panic_reply(payload),
        };
        if !write_message(&mut replies, reply) {
            break;
        }
    }
    system::exit(0)
}

fn panic_reply(payload: Box<dyn Any + Send>) -> Vec<u8> {
    let text = text_of(&*payload);
    let is_string = !payload.is::<&str>();
    let mut end = text.len().min(PANIC_TEXT_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut reply = new_message();
    reply.push(PANICKED);
    Sent::<()>::send(&is_string, &mut reply);
    Sent::<()>::send(&text[..end], &mut reply);
    std::mem::forget(payload); // its destructor is the answer's, and might panic
    reply
}

/// What a panic says.
pub fn text_of<'a>(payload: &'a (dyn Any + Send)) -> &'a str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("a value that is not text")
}

fn descriptor(number: i32) -> ManuallyDrop<File> {
    ManuallyDrop::new(unsafe { File::from_raw_fd(number) })
}

/// Room for the length, which `write_message` fills in.
fn new_message() -> Vec<u8> {
    vec![0; 8]
}

fn write_message(to: &mut File, mut message: Vec<u8>) -> bool {
    let length = message.len() as u64 - 8;
    message[..8].copy_from_slice(&length.to_le_bytes());
    to.write_all(&message).is_ok()
}

/// The next request, passing over reminders.
fn read_request(from: &mut File) -> Option<Vec<u8>> {
    loop {
        match read_length(from)? {
            REMINDER => {}
            length => return read_message(from, length),
        }
    }
}

fn read_length(from: &mut impl Read) -> Option<u64> {
    let mut bytes = [0; 8];
    from.read_exact(&mut bytes).ok()?;
    Some(u64::from_le_bytes(bytes))
}

/// A message of this length; None where it ends before, and where it would be too large.
fn read_message(from: &mut impl Read, length: u64) -> Option<Vec<u8>> {
    if length > SIZE_LIMIT {
        return None;
    }
    let mut bytes = Vec::new(); // grows with what arrives
    from.take(length).read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 == length { Some(bytes) } else { None }
}

/// The reply to the request that was sent last.
fn read_reply(requests: &mut File, replies: &mut File) -> Option<Vec<u8>> {
    let mut from = Replies { requests, replies, is_reminded: false };
    let length = read_length(&mut from)?;
    read_message(&mut from, length)
}

/// Replies, for as long as nobody takes the reminder.
struct Replies<'a> {
    requests: &'a mut File,
    replies: &'a mut File,
    is_reminded: bool,
}

impl Read for Replies<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while !system::is_readable(self.replies, PATIENCE_MILLISECONDS) {
            if !self.is_reminded {
                self.requests.write_all(&REMINDER.to_le_bytes())?;
                self.is_reminded = true;
            } else if system::unread(self.requests) < 8 && !system::is_readable(self.replies, 0) {
                failed("FAIL nonsense answer");
            }
        }
        self.replies.read(buffer)
    }
}
