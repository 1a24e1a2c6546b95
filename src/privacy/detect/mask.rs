//! Replaces what the rules find.

use std::borrow::Cow;

use super::engine::Set;
use super::hit::{Counts, Hit};

/// What stands around the rule's name.
pub(super) const OPENING: &str = "[redacted:";
const CLOSING: &str = "]";

/// How often a text may be looked at again. What was replaced may leave beside it what only now is a hit.
const ROUNDS: usize = 8;

/// The text without what the rules find in it.
pub(super) fn mask<'t>(set: &Set, text: &'t str, counts: &mut Counts) -> Cow<'t, str> {
    let mut masked = Cow::Borrowed(text);
    for _ in 0..ROUNDS {
        let hits = set.find(&masked);
        if hits.is_empty() {
            break;
        }
        for hit in &hits {
            counts.add(&hit.rule);
        }
        masked = Cow::Owned(replaced(&masked, &hits));
    }
    masked
}

fn replaced(text: &str, hits: &[Hit]) -> String {
    let is_json = is_json(text);
    let mut replaced = String::with_capacity(text.len());
    let mut done = 0;
    for hit in hits {
        replaced.push_str(text.get(done..hit.range.start).unwrap_or_default());
        // What was a number in JSON has to be a text, or the rest could not be read.
        let quote = if is_json && is_bare(text.as_bytes(), hit) { "\"" } else { "" };
        replaced.extend([quote, OPENING, &hit.rule, CLOSING, quote]);
        done = hit.range.end;
    }
    replaced.push_str(text.get(done..).unwrap_or_default());
    replaced
}

/// Whether a text looks like a JSON document from outside.
fn is_json(text: &str) -> bool {
    let text = text.trim().as_bytes();
    matches!((text.first(), text.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')))
}

/// Whether a hit is a JSON value that stands without quotes.
fn is_bare(text: &[u8], hit: &Hit) -> bool {
    let blank = |byte: &&u8| byte.is_ascii_whitespace();
    let before = text.get(..hit.range.start).unwrap_or_default().iter().rev().find(|byte| !blank(byte));
    let after = text.get(hit.range.end..).unwrap_or_default().iter().find(|byte| !blank(byte));
    let value = text.get(hit.range.clone()).unwrap_or_default();
    matches!(before, Some(b':' | b',' | b'['))
        && matches!(after, Some(b',' | b']' | b'}'))
        && value.iter().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte))
}
