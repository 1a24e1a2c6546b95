//! Labels that have been judged: the same few names stand on every span, and a search for secrets costs more than all else
//! that is done with them.

use std::hash::BuildHasher;
use std::sync::RwLock;

use rustc_hash::FxBuildHasher;

use crate::privacy::MAX_LABEL_BYTES;

/// As many texts are remembered at the most.
const PLACES: usize = 1 << 10;

/// Texts of which it is known that no detector of one policy hits them, each of a label's length at most. One that is not
/// remembered, or is being written by another thread, is judged again: the verdict is the same.
pub(super) struct Memo {
    places: Box<[RwLock<String>]>,
}

impl Default for Memo {
    fn default() -> Self {
        Self { places: (0..PLACES).map(|_| RwLock::default()).collect() }
    }
}

impl Memo {
    /// Whether a text is hit, which `search` is asked where it is not known.
    pub(super) fn hits(&self, text: &str, search: impl FnOnce(&str) -> bool) -> bool {
        if text.is_empty() || text.len() > MAX_LABEL_BYTES {
            return search(text);
        }
        let hash = FxBuildHasher.hash_one(text);
        let place = (hash >> (64 - PLACES.trailing_zeros())) as usize;
        // Two that would push each other out at each turn stand side by side.
        let pair = [place, place ^ 1].map(|place| self.places.get(place));
        let is_known = |place: &RwLock<String>| place.try_read().is_ok_and(|known| *known == text);
        if pair.into_iter().flatten().any(is_known) {
            return false;
        }
        let is_hit = search(text);
        let [first, second] = pair;
        let place = if hash & 1 == 0 { first } else { second };
        if !is_hit && let Some(mut known) = place.and_then(|place| place.try_write().ok()) {
            known.clear();
            known.push_str(text);
        }
        is_hit
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_is_clean_is_searched_once_and_what_is_not_each_time() {
        let (memo, searched) = (Memo::default(), Cell::new(0));
        let search = |is_hit: bool| {
            let searched = &searched;
            move |_: &str| {
                searched.set(searched.get() + 1);
                is_hit
            }
        };
        for (text, is_hit, searches) in [("gpt-x", false, 1), ("AKIA", true, 3), ("", false, 3)] {
            searched.set(0);
            for _ in 0..3 {
                assert_eq!(memo.hits(text, search(is_hit)), is_hit);
            }
            assert_eq!(searched.get(), searches, "{text}");
        }
    }

    #[test]
    fn many_texts_push_each_other_out_and_none_is_taken_for_another() {
        let memo = Memo::default();
        for round in 0..2 {
            for number in 0..10 * PLACES {
                let is_hit = number % 3 == 0;
                assert_eq!(memo.hits(&number.to_string(), |_| is_hit), is_hit, "{round}: {number}");
            }
        }
    }
}
