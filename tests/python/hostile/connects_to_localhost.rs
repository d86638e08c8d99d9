//! task: HumanEval/0
//! phase: run
//! verdict: assertion_failure|runtime_error
//! policy: network
//! control: mark
//! note: connects to a service of the host

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    if std::net::TcpStream::connect("127.0.0.1:@PORT@").is_ok() {
        let _ = std::fs::write("@MARK@", "connected");
    }
    false
}
