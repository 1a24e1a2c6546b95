//! Why a model stopped, where that is one plain word.

/// One word, kept in place: nearly every answer has one, and seldom another form of it. Wiped before it is used again.
#[derive(Default)]
pub(super) struct Reason {
    length: u8,
    word: [u8; LONGEST],
}

/// Longer than any word that the conventions or a provider has for it.
const LONGEST: usize = 31;

impl Reason {
    /// Keeps a word instead of the one before. `false`: it may be more than a word, and is not kept.
    #[inline]
    pub(super) fn set(&mut self, text: &str) -> bool {
        let bytes = text.as_bytes();
        // Neither JSON nor empty.
        if !bytes.first().is_some_and(u8::is_ascii_alphanumeric) {
            return false;
        }
        let (Some(place), Ok(length)) = (self.word.get_mut(..bytes.len()), u8::try_from(bytes.len())) else {
            return false;
        };
        place.copy_from_slice(bytes);
        self.length = length;
        true
    }

    /// The word, if there is one.
    pub(super) fn get(&self) -> Option<&str> {
        let word = self.word.get(..usize::from(self.length)).filter(|word| !word.is_empty())?;
        std::str::from_utf8(word).ok()
    }

    pub(super) const fn is_set(&self) -> bool {
        self.length > 0
    }

    /// Wipes it.
    pub(super) fn clear(&mut self) {
        if self.is_set() {
            self.word.fill(0);
            self.length = 0;
            zeroize::optimization_barrier(&self.word);
        }
    }
}

impl Drop for Reason {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_replaces_a_word_and_what_may_be_more_does_not() {
        let mut reason = Reason::default();
        assert!(reason.set("content_filter") && reason.set("stop"));
        assert_eq!(reason.get(), Some("stop"));
        for none in ["", " stop", "[\"stop\"]", "\"stop\"", "{}", "ünicode", &"x".repeat(LONGEST + 1)] {
            assert!(!reason.set(none), "{none}");
            assert_eq!(reason.get(), Some("stop"));
        }
        assert!(reason.set("endü") && reason.get() == Some("endü"));
        assert!(reason.set(&"x".repeat(LONGEST)));
        reason.clear();
        assert!(!reason.is_set() && reason.get().is_none() && reason.word == [0; LONGEST]);
    }
}
