//! Many words, in all their forms, in one pass over bytes.

use std::collections::HashMap;

use super::forms::forms;

/// All needles are at least so long.
const HEAD: usize = 6;

/// Finds words in bytes.
pub struct Search {
    needles: Vec<(usize, &'static str, Vec<u8>)>,
    by_head: HashMap<[u8; HEAD], Vec<usize>>,
    /// Whether any needle begins with these two bytes.
    begins: Vec<bool>,
}

/// A word that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which word, by its place in the list.
    pub word: usize,
    pub form: &'static str,
    pub at: usize,
}

impl Search {
    pub fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let mut search = Self { needles: Vec::new(), by_head: HashMap::new(), begins: vec![false; 1 << 16] };
        for (word, text) in words.into_iter().enumerate() {
            for (form, needle) in forms(text) {
                search.begins[usize::from(needle[0]) << 8 | usize::from(needle[1])] = true;
                let head = needle[..HEAD].try_into().unwrap();
                search.by_head.entry(head).or_default().push(search.needles.len());
                search.needles.push((word, form, needle));
            }
        }
        search
    }

    pub fn find(&self, bytes: &[u8]) -> Vec<Found> {
        let mut found = Vec::new();
        for (at, window) in bytes.windows(HEAD).enumerate() {
            if !self.begins[usize::from(window[0]) << 8 | usize::from(window[1])] {
                continue;
            }
            let head: &[u8; HEAD] = window.try_into().unwrap();
            for needle in self.by_head.get(head).into_iter().flatten() {
                let (word, form, needle) = &self.needles[*needle];
                if bytes[at..].starts_with(needle) {
                    found.push(Found { word: *word, form, at });
                }
            }
        }
        found
    }
}
