//! Lists that repeat the list before them.
//!
//! A request holds the whole history of its thread, byte for byte as the request before it did, and something more. What
//! is the same is neither parsed nor hashed again: the bytes are compared, and the items are known.

use serde_json::value::RawValue;
use std::sync::Arc;

use super::items::{Items, Shown};
use crate::event::{Input, wipe};

/// The list that was read last, from its bracket to its bracket, and where each of its elements ends. Wiped.
#[derive(Default)]
pub(super) struct Repeated {
    bytes: Vec<u8>,
    elements: Vec<(usize, Shown)>,
}

impl Drop for Repeated {
    fn drop(&mut self) {
        wipe(&mut self.bytes);
    }
}

impl Repeated {
    /// Reads the list that `text` begins with. Answers how long it is; nothing where it is no list.
    pub(super) fn read(&mut self, text: &str, items: &mut Items) -> Option<usize> {
        let length = self.read_on(text, items);
        if length.is_none() {
            wipe(&mut self.bytes);
            self.bytes.clear();
            self.elements.clear();
        }
        length
    }

    fn read_on(&mut self, text: &str, items: &mut Items) -> Option<usize> {
        let same = common(text.as_bytes(), &self.bytes);
        // Of a number the next byte says whether it is whole, so that has to be the same too.
        self.elements.truncate(self.elements.partition_point(|(end, _)| *end < same));
        let mut walk = Walk { text, at: 0 };
        walk.take(b'[')?;
        if let Some((end, _)) = self.elements.last() {
            walk.at = *end;
        }
        let length = loop {
            if walk.take(b']').is_some() {
                break walk.at;
            }
            if !self.elements.is_empty() {
                walk.take(b',')?;
            }
            let element = walk.value()?;
            self.elements.push((walk.at, items.read(element)));
        };
        self.keep(text.as_bytes().get(..length)?, same);
        Some(length)
    }

    /// The items of the list that was read last.
    pub(super) fn input(&self) -> Input {
        let items = self.elements.iter().map(|(_, shown)| shown.item.clone()).collect();
        let facets = self.elements.iter().map(|(_, shown)| Arc::clone(&shown.facet)).collect();
        Input { items, facets, ..Input::default() }
    }

    fn keep(&mut self, list: &[u8], same: usize) {
        if list.len() > self.bytes.capacity() {
            // A vector that grows by itself would leave a copy of what it held behind.
            let mut larger = Vec::with_capacity(list.len().saturating_add(list.len() / 2));
            larger.extend_from_slice(list);
            wipe(&mut self.bytes);
            self.bytes = larger;
            return;
        }
        let same = same.min(list.len());
        self.bytes.truncate(same);
        self.bytes.extend_from_slice(list.get(same..).unwrap_or_default());
    }
}

/// How many of the first bytes are the same.
fn common(one: &[u8], other: &[u8]) -> usize {
    const CHUNK: usize = 256;
    let chunks = one.chunks_exact(CHUNK).zip(other.chunks_exact(CHUNK));
    let same = CHUNK * chunks.take_while(|(one, other)| one == other).count();
    let rest = one.iter().skip(same).zip(other.iter().skip(same));
    same + rest.take_while(|(one, other)| one == other).count()
}

/// Reads JSON piece by piece, so that pieces which are known can be passed over.
pub(super) struct Walk<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn pass_blanks(&mut self) {
        let rest = self.rest().as_bytes();
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    /// The next byte behind blanks, which stays.
    pub(super) fn peek(&mut self) -> Option<u8> {
        self.pass_blanks();
        self.rest().as_bytes().first().copied()
    }

    /// Takes this byte, where it is the next.
    pub(super) fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.at += 1)
    }

    /// Takes the next value, whatever it is.
    pub(super) fn value(&mut self) -> Option<&'a RawValue> {
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter::<&'a RawValue>();
        let value = values.next()?.ok()?;
        self.at += values.byte_offset();
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::privacy::Policy;

    fn items() -> Items {
        let (policy, _) = Policy::builder().unkeyed_sha256().build_in(&Environment::default());
        Items::new(policy)
    }

    fn digests(input: &Input) -> Vec<String> {
        input.items.iter().map(|item| format!("{:?} {:?}", item.digest, item.role)).collect()
    }

    #[test]
    fn whatever_list_came_before_a_list_reads_the_same() {
        let user = |text: &str| format!(r#"{{"role":"user","content":"{text}"}}"#);
        let (a, b, long) = (user("a"), user("b"), user(&"x".repeat(1000)));
        let lists = [
            "[]".to_owned(),
            format!("[{a}]"),
            format!("[{a},{b}]"),
            format!("[ {a} , {b}\n]"),
            format!("[{long},{a},{b}]"),
            format!("[{long},{a}]"),
            format!("[{long},{b},{long}]"),
            "[1]".to_owned(),
            "[12]".to_owned(),
            "[12,3]".to_owned(),
            r#"["a"]"#.to_owned(),
        ];
        for before in &lists {
            for list in &lists {
                let (mut repeated, mut alone, mut items) = (Repeated::default(), Repeated::default(), items());
                assert_eq!(repeated.read(before, &mut items), Some(before.len()));
                assert_eq!(repeated.read(&format!("{list},\"more\":1}}"), &mut items), Some(list.len()), "{list}");
                assert_eq!(alone.read(list, &mut items), Some(list.len()));
                assert_eq!(digests(&repeated.input()), digests(&alone.input()), "{list} after {before}");
            }
        }
    }

    #[test]
    fn what_is_no_list_is_not_read_as_one() {
        for wrong in ["", "{", "7", "[1", "[1,]", "[1 2]", "[,1]", "[1}", "[\"a]"] {
            let (mut repeated, mut items) = (Repeated::default(), items());
            assert_eq!(repeated.read(wrong, &mut items), None, "{wrong}");
        }
    }
}
