//! A crate of a few functions.

pub mod inner;

/// Counts the words of a text that are longer than a number of characters.
///
/// # Examples
///
/// ```
/// assert_eq!(tiny::long_words("a longer word", 4), 1);
/// ```
pub fn long_words(text: &str, least: usize) -> usize {
    let words = text.split_whitespace();
    let long = words.filter(|word| word.chars().count() > least);
    long.count()
}

/// A level of water in a barrel that holds a hundred litres.
pub struct Barrel {
    litres: u32,
}

impl Barrel {
    /// Pours water in, and gives back how much of it did not find room any more.
    #[inline]
    pub fn pour(&mut self, litres: u32) -> u32 {
        let wanted = self.litres + litres;
        self.litres = wanted.min(100);
        wanted - self.litres
    }

    pub fn drawn(&self) -> String {
        let barrel = "
            |    |
        ";
        String::from(barrel)
    }

    pub fn level(&self) -> u32 {
        self.litres
    }
}

pub fn banner(name: &str) -> String
where
    String: Sized,
{
    let line = "
        ****
    ";
    let mut banner = String::from(line);
    banner.push_str(name);
    banner
}

#[cfg(test)]
mod tests {
    #[test]
    fn in_module_of_tests() {
        let found = super::long_words("one three", 3);
        let expected = 1;
        assert_eq!(found, expected);
    }
}
