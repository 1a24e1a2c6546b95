//! Lists that repeat the list before them.
//!
//! A request holds the whole history of its thread, byte for byte as the request before it did, and something more. What
//! is the same is neither parsed nor hashed again: the bytes are compared, and what was made of the elements is known.

use serde_json::value::RawValue;

use crate::event::wipe;

/// What is made of the elements of a list, one after the other.
pub(super) trait Elements {
    /// Keeps what was made of the first `count` elements, which `next` now follows. Answers of how many it could.
    fn keep<'t>(&mut self, count: usize, next: impl FnOnce() -> Option<&'t RawValue>) -> usize;

    /// Makes something of one more.
    fn add(&mut self, element: &RawValue);
}

/// The list that was read last, from its bracket to its bracket, and where each of its elements ends. Wiped.
#[derive(Default)]
pub(super) struct Repeated {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Drop for Repeated {
    fn drop(&mut self) {
        wipe(&mut self.bytes);
    }
}

impl Repeated {
    /// Reads the list that `text` begins with. Answers how long it is; nothing where it is no list.
    pub(super) fn read(&mut self, text: &str, into: &mut impl Elements) -> Option<usize> {
        let length = self.read_on(text, into);
        if length.is_none() {
            self.forget();
            into.keep(0, || None);
        }
        length
    }

    fn read_on(&mut self, text: &str, into: &mut impl Elements) -> Option<usize> {
        let same = common(text.as_bytes(), &self.bytes);
        let mut walk = Walk { text, at: 0 };
        walk.take(b'[')?;
        let known = self.ends.partition_point(|end| self.is_whole(*end, same));
        let kept = into.keep(known, || self.after(known, walk)).min(known);
        self.ends.truncate(kept);
        walk.at = self.ends.last().copied().unwrap_or(walk.at);
        let length = loop {
            if walk.take(b']').is_some() {
                break walk.at;
            }
            if !self.ends.is_empty() {
                walk.take(b',')?;
            }
            into.add(walk.value()?);
            self.ends.push(walk.at);
        };
        self.keep(text.as_bytes().get(..length)?, same);
        Some(length)
    }

    /// Whether an element that ends here is the same, where as many bytes are: of a number the next byte says whether it is
    /// whole, so that has to be the same too.
    fn is_whole(&self, end: usize, same: usize) -> bool {
        let last = || end.checked_sub(1).and_then(|last| self.bytes.get(last));
        end < same || (end == same && matches!(last(), Some(b'}' | b']' | b'"')))
    }

    /// The element behind the first `known` ones.
    fn after<'t>(&self, known: usize, mut walk: Walk<'t>) -> Option<&'t RawValue> {
        if let Some(end) = known.checked_sub(1).and_then(|last| self.ends.get(last)) {
            walk.at = *end;
            walk.take(b',')?;
        }
        walk.value()
    }

    /// Knows no list any more.
    pub(super) fn forget(&mut self) {
        wipe(&mut self.bytes);
        self.bytes.clear();
        self.ends.clear();
    }

    /// How many bytes it keeps.
    pub(super) const fn held(&self) -> usize {
        self.bytes.capacity()
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
#[derive(Clone, Copy)]
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
    use super::super::items::{Items, Shown, Shows};
    use super::*;
    use crate::environment::Environment;
    use crate::privacy::Policy;

    fn items() -> Items {
        let (policy, _) = Policy::builder().unkeyed_sha256().build_in(&Environment::default());
        Items::new(policy)
    }

    /// Reads a list after whatever was read before it.
    #[derive(Default)]
    struct Reader {
        repeated: Repeated,
        shown: Vec<Shown>,
    }

    impl Reader {
        fn read(&mut self, text: &str, items: &mut Items) -> Option<usize> {
            self.repeated.read(text, &mut Shows { items, shown: &mut self.shown })
        }

        fn digests(&self) -> Vec<String> {
            self.shown.iter().map(|Shown { item, .. }| format!("{:?} {:?}", item.digest, item.role)).collect()
        }
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
                let (mut repeated, mut alone, mut items) = (Reader::default(), Reader::default(), items());
                assert_eq!(repeated.read(before, &mut items), Some(before.len()));
                assert_eq!(repeated.read(&format!("{list},\"more\":1}}"), &mut items), Some(list.len()), "{list}");
                assert_eq!(alone.read(list, &mut items), Some(list.len()));
                assert_eq!(repeated.digests(), alone.digests(), "{list} after {before}");
            }
        }
    }

    #[test]
    fn what_is_no_list_is_not_read_as_one() {
        for wrong in ["", "{", "7", "[1", "[1,]", "[1 2]", "[,1]", "[1}", "[\"a]"] {
            let (mut repeated, mut items) = (Reader::default(), items());
            assert_eq!(repeated.read(wrong, &mut items), None, "{wrong}");
        }
    }
}
