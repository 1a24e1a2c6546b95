//! JSON text of a value, of any depth.

use serde_json::{Value, map, to_writer};

use super::bounded::Bounded;
use crate::event::RawText;
use crate::event::wipe::wipe_text;

/// A string as it is, any other value as JSON text, of any depth.
pub(crate) fn text(value: &Value) -> RawText {
    match value {
        Value::String(text) => RawText::from(text.as_str()),
        _ => write(value, &[]),
    }
}

/// The same of a value that is given away.
pub(crate) fn into_text(value: Value) -> RawText {
    match value {
        Value::String(text) => RawText::from(text),
        other => {
            let text = write(&other, &[]);
            take_apart(other);
            text
        }
    }
}

/// Lets go of a value without recursing, and wipes its strings and the names of its members: both are what was said.
pub(crate) fn take_apart(value: Value) {
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        match value {
            Value::String(mut text) => wipe_text(&mut text),
            Value::Array(elements) => left.extend(elements),
            Value::Object(members) => left.extend(members.into_iter().map(|(mut name, value)| {
                wipe_text(&mut name);
                value
            })),
            _ => {}
        }
    }
}

/// Whether arrays and objects stand in each other deeper than any that a provider or the conventions have: a value that
/// is dropped a level at a time would take the stack with it.
pub(crate) fn is_deep(value: &Value) -> bool {
    const DEEPEST: usize = 128;
    fn exceeds(value: &Value, left: usize) -> bool {
        let Some(left) = left.checked_sub(1) else { return matches!(value, Value::Array(_) | Value::Object(_)) };
        match value {
            Value::Array(elements) => elements.iter().any(|element| exceeds(element, left)),
            Value::Object(members) => members.values().any(|member| exceeds(member, left)),
            _ => false,
        }
    }
    exceeds(value, DEEPEST)
}

/// What tells nothing of the content: ids, signatures, hints, times.
pub(super) const HINTS: &[&str] =
    &["cache_control", "call_id", "created_at", "id", "signature", "timestamp", "tool_call_id", "tool_use_id"];

/// What remains to be written of the arrays and objects that are open.
enum Open<'v> {
    Array(std::slice::Iter<'v, Value>),
    Object(map::Iter<'v>),
}

/// The value as JSON text, without those of its own members that are named. Does not recurse: a value may be deeper than
/// the stack. Takes no more memory than a text may have, and what is open.
pub(super) fn write(value: &Value, without: &[&str]) -> RawText {
    let mut text = Bounded::default();
    let mut open = Vec::new();
    begin(value, &mut text, &mut open);
    let mut is_first = true;
    loop {
        let is_outermost = open.len() == 1;
        let Some(innermost) = open.last_mut() else { break };
        let value = match innermost {
            Open::Array(elements) => elements.next(),
            Open::Object(members) => match members.next() {
                Some((key, _)) if is_outermost && without.contains(&key.as_str()) => continue,
                Some((key, value)) => {
                    separate(&mut is_first, &mut text);
                    // Writing a scalar into a vector does not fail.
                    let _ = to_writer(&mut text, key);
                    text.push(b':');
                    is_first = true;
                    Some(value)
                }
                None => None,
            },
        };
        match value {
            Some(value) => {
                separate(&mut is_first, &mut text);
                is_first = begin(value, &mut text, &mut open);
            }
            None => {
                text.push(if matches!(open.pop(), Some(Open::Array(_))) { b']' } else { b'}' });
                is_first = false;
            }
        }
    }
    text.into_text()
}

fn separate(is_first: &mut bool, text: &mut Bounded) {
    if !std::mem::replace(is_first, false) {
        text.push(b',');
    }
}

/// Writes a value, or the beginning of one that is not empty of structure; true if it is open now.
fn begin<'v>(value: &'v Value, text: &mut Bounded, open: &mut Vec<Open<'v>>) -> bool {
    match value {
        Value::Array(elements) => {
            text.push(b'[');
            open.push(Open::Array(elements.iter()));
            true
        }
        Value::Object(members) => {
            text.push(b'{');
            open.push(Open::Object(members.iter()));
            true
        }
        _ => {
            let _ = to_writer(text, value);
            false
        }
    }
}
