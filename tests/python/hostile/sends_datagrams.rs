//! task: HumanEval/0
//! phase: run
//! verdict: assertion_failure|runtime_error
//! policy: network
//! control: mark
//! note: sends datagrams to the host

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    if let Ok(socket) = std::net::UdpSocket::bind("127.0.0.1:0") {
        if socket.send_to(b"hello", "127.0.0.1:@PORT@").is_ok() {
            let _ = std::fs::write("@MARK@", "sent");
        }
    }
    false
}
