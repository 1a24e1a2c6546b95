//! Replaces what the rules find.

use std::borrow::Cow;

use super::engine::Set;
use super::hit::{Counts, Hit};
use super::json;
use super::mark::{CLOSING, OPENING};
use crate::privacy::c1;

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
        let is_json = is_document(&masked) && c1::canonical(&masked).is_some();
        let next = if is_json { json::replaced(&masked, &hits, counts) } else { replaced(&masked, &hits, counts) };
        if next == *masked {
            break;
        }
        masked = Cow::Owned(next);
    }
    masked
}

fn replaced(text: &str, hits: &[Hit], counts: &mut Counts) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut done = 0;
    for hit in hits {
        replaced.push_str(text.get(done..hit.range.start).unwrap_or_default());
        replaced.extend([OPENING, &hit.rule, CLOSING]);
        counts.add(&hit.rule);
        done = hit.range.end;
    }
    replaced.push_str(text.get(done..).unwrap_or_default());
    replaced
}

/// Whether a text looks like a JSON object or array from outside.
fn is_document(text: &str) -> bool {
    let bytes = text.trim().as_bytes();
    matches!((bytes.first(), bytes.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')))
}
