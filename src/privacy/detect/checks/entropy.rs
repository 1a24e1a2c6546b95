//! How much a value looks drawn at random, and how little like words.

/// Shannon's entropy of the bytes of a value, in bits for each.
pub(in super::super) fn bits(value: &[u8]) -> f32 {
    let mut counts = [0_u16; 256];
    for byte in value {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count = count.saturating_add(1);
        }
    }
    let total = value.len().max(1) as f32;
    let share = |count: u16| f32::from(count) / total;
    counts.into_iter().filter(|count| *count > 0).map(|count| -share(count) * share(count).log2()).sum()
}

/// Whether a value looks drawn at random: letters and digits mixed, or upper and lower case where no word has them.
pub(super) fn is_random(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = value.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let mixed = digits > 0 && letters > 0;
    bits(value) >= 2.7 && (mixed && !is_words(value) || is_scrambled(value))
}

/// Whether a value is made of words and numbers that stand apart: `my-app-2024`, `user_v2`, `en.wikipedia`.
pub(super) fn is_words(value: &[u8]) -> bool {
    value.split(|byte| !byte.is_ascii_alphanumeric()).all(|part| {
        let letters = part.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let digits = part.len() - letters;
        let rest = part.get(letters..).unwrap_or_default();
        // A number at the end of a word, or on its own.
        let plain = rest.iter().all(u8::is_ascii_digit) && digits <= 4;
        plain && !is_scrambled(part)
    })
}

/// Whether letters change case more often than words in a name do, or have no vowels for long.
fn is_scrambled(value: &[u8]) -> bool {
    if value.len() < 12 {
        return false;
    }
    let falls =
        value.windows(2).filter(|pair| matches!(pair, [a, b] if a.is_ascii_uppercase() && b.is_ascii_lowercase()));
    let rises =
        value.windows(2).filter(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()));
    let breaks = value.windows(2).filter(|pair| matches!(pair, [a, b] if a.is_ascii_digit() != b.is_ascii_digit()));
    let (rises, breaks) = (rises.count(), breaks.count());
    let changes = falls.count() + rises + breaks;
    let capitals = value.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    // `MaxNumberOfDomains`: each capital begins a word.
    let is_camel = breaks == 0 && capitals <= rises + 1;
    let consonants = value.split(|byte| !byte.is_ascii_alphabetic() || b"aeiouyAEIOUY".contains(byte)).map(<[u8]>::len);
    changes * 3 >= value.len() && !is_camel || consonants.max().unwrap_or_default() >= 7
}
