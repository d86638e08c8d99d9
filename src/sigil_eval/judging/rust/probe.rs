//! The sandbox's canary: tries what a hostile program would, and says what succeeded.
//!
//!     probe WRITE_TO PORT CANARY_FILE...   prints e.g. `read=yes write=no connect=no`
//!
//! Of several files it tells whether any could be read. Run outside the sandbox it must succeed at
//! everything (the probe works), inside at nothing.

use std::net::TcpStream;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let write = std::fs::write(&arguments[1], "probe").is_ok();
    let connect = TcpStream::connect(format!("127.0.0.1:{}", arguments[2])).is_ok();
    let read = arguments[3..].iter().any(|canary| std::fs::read_to_string(canary).is_ok());
    let answer = |yes: bool| if yes { "yes" } else { "no" };
    println!("read={} write={} connect={}", answer(read), answer(write), answer(connect));
}
