pub fn in_benches(values: &[u8]) -> usize {
    let mut count = values.len();
    count += values.iter().filter(|value| **value > 7).count();
    count
}
fn main() {}
