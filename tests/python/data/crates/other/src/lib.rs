/// The letters of a text that stand at even places, in their order.
pub fn even_letters(text: &str) -> String {
    let places = text.chars().enumerate();
    let even = places.filter(|(place, _)| place % 2 == 0);
    even.map(|(_, letter)| letter).collect()
}
