//! What looks like a name or an identifier.

use super::detect::Detectors;

/// The longest label, in bytes.
pub const MAX_LABEL_BYTES: usize = 128;

/// Whether a text looks like a label: `[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}`.
pub fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let first = bytes.first().is_some_and(u8::is_ascii_alphanumeric);
    // Without a way out of the loop it is done for many bytes at once.
    first && bytes.len() <= MAX_LABEL_BYTES && bytes.iter().fold(true, |all, byte| all & is_label_byte(*byte))
}

/// Whether a text may leave as a label: it looks like one, and no detector hits it. Without detectors its looks decide.
pub(crate) fn is_safe_label(detectors: Option<&Detectors>, text: &str) -> bool {
    is_label(text) && !detectors.is_some_and(|detectors| detectors.hits(text))
}

const fn is_label_byte(byte: u8) -> bool {
    // `-./0123456789:` and `@A…Z` are ranges, and bit 5 is all that tells small letters from capitals.
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'-') <= b':' - b'-';
    letter | digit | (byte == b'_') | (byte == b'@') | (byte == b'+')
}

/// Whether a text looks like a policy snapshot: labels joined by `=` in pairs, pairs joined by `;`.
pub fn is_policy(text: &str) -> bool {
    const MAX_PAIRS: usize = 16;
    text.split(';').count() <= MAX_PAIRS
        && text
            .split(';')
            .all(|pair| pair.split_once('=').is_some_and(|(name, value)| is_label(name) && is_label(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_models_are_labels_and_sentences_are_not() {
        for label in ["gpt-4.1", "accounts/x/models/y@2", "a", "claude_3:5+beta", &"x".repeat(128)] {
            assert!(is_label(label), "{label}");
        }
        for other in ["", "two words", "-flag", "ümlaut", "a\n", "a\0", &"x".repeat(129)] {
            assert!(!is_label(other), "{other}");
        }
    }

    #[test]
    fn the_bytes_of_a_label_are_those_that_the_rule_names() {
        for byte in 0..=u8::MAX {
            let named = byte.is_ascii_alphanumeric() || b"._:/@+-".contains(&byte);
            assert_eq!(is_label_byte(byte), named, "{byte}");
        }
    }

    #[test]
    fn a_policy_is_pairs_of_labels() {
        assert!(is_policy("content=digest;hash=hmac-sha256;form=c1;key=ephemeral-0a1b2c3d"));
        assert!(!is_policy("content=digest;a secret"));
        assert!(!is_policy("content=a secret"));
        assert!(!is_policy(""));
    }
}
