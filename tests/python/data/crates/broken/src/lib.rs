pub fn does_not_compile(values: &[u8]) -> usize {
    let count: usize = "a text";
    let more = values.len();
    count + more
}
