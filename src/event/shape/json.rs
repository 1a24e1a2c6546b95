//! JSON text of a value, of any depth.

use serde_json::{Value, map, to_writer};

use crate::event::RawText;

/// What tells nothing of the content: ids, signatures, hints, times.
pub(super) const HINTS: &[&str] =
    &["cache_control", "call_id", "created_at", "id", "signature", "timestamp", "tool_call_id", "tool_use_id"];

/// What remains to be written of the arrays and objects that are open.
enum Open<'v> {
    Array(std::slice::Iter<'v, Value>),
    Object(map::Iter<'v>),
}

/// The value as JSON text, without those of its own members that are named. Does not recurse: a value may be deeper than
/// the stack.
pub(super) fn write(value: &Value, without: &[&str]) -> RawText {
    let mut text = Vec::new();
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
    // serde_json writes nothing but UTF-8.
    RawText::from(String::from_utf8(text).unwrap_or_default())
}

fn separate(is_first: &mut bool, text: &mut Vec<u8>) {
    if !std::mem::replace(is_first, false) {
        text.push(b',');
    }
}

/// Writes a value, or the beginning of one that is not empty of structure; true if it is open now.
fn begin<'v>(value: &'v Value, text: &mut Vec<u8>, open: &mut Vec<Open<'v>>) -> bool {
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
