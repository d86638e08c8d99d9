//! The sandbox's canary: tries what a hostile program would, and says what succeeded.
//!
//!     probe CANARY_FILE WRITE_TO PORT      prints e.g. `read=yes write=no connect=no`
//!
//! Run outside the sandbox it must succeed at everything (the probe works), inside at nothing.

use std::net::TcpStream;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let read = std::fs::read_to_string(&arguments[1]).is_ok();
    let write = std::fs::write(&arguments[2], "probe").is_ok();
    let connect = TcpStream::connect(format!("127.0.0.1:{}", arguments[3])).is_ok();
    let answer = |yes: bool| if yes { "yes" } else { "no" };
    println!("read={} write={} connect={}", answer(read), answer(write), answer(connect));
}
