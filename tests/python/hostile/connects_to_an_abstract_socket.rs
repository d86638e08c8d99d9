//! task: HumanEval/0
//! phase: run
//! verdict: assertion_failure|runtime_error
//! policy: network
//! control: mark
//! note: Unix sockets that are no files

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let address = SocketAddr::from_abstract_name("sigil-hostile").unwrap();
    if UnixListener::bind_addr(&address).is_ok() {
        let _ = std::fs::write("@MARK@", "bound");
    }
    false
}
