/// The largest step between neighbours of a row of heights, or nothing where there are none.
pub fn largest_step(heights: &[i64]) -> Option<i64> {
    let mut largest = None;
    for pair in heights.windows(2) {
        let step = (pair[1] - pair[0]).abs();
        if largest.is_none_or(|known| step > known) {
            largest = Some(step);
        }
    }
    largest
}
