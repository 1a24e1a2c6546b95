//! The text of a tree.

use serde_json::to_writer;

use super::Tree;
use crate::event::RawText;
use crate::event::shape::bounded::Bounded;

impl Tree<'_> {
    /// A string as it is, anything else as JSON text.
    pub(crate) fn into_raw(self) -> RawText {
        match self {
            Self::String(text) => text.into_raw(),
            other => other.write(&[]),
        }
    }

    /// The value as JSON text, without those of its own members that are named.
    pub(super) fn write(&self, without: &[&str]) -> RawText {
        let is_whole = match self {
            Self::Object { members, .. } => !members.iter().any(|(key, _)| without.contains(&key.as_str())),
            _ => true,
        };
        if is_whole && let Some(text) = self.source() {
            return RawText::from(text);
        }
        let mut out = Bounded::default();
        match self {
            Self::Object { members, .. } => {
                let stays = members.iter().filter(|(key, _)| !without.contains(&key.as_str()));
                write_members(stays.map(|(key, value)| (key.as_str(), value)), &mut out);
            }
            other => other.write_into(&mut out),
        }
        out.into_text()
    }

    /// Where it stands as it would be written.
    const fn source(&self) -> Option<&str> {
        match self {
            Self::Array { text, .. } | Self::Object { text, .. } => *text,
            _ => None,
        }
    }

    /// No tree is deeper than a request can be.
    fn write_into(&self, out: &mut Bounded) {
        if let Some(text) = self.source() {
            return out.add(text.as_bytes());
        }
        match self {
            Self::Null => out.add(b"null"),
            Self::Bool(flag) => out.add(if *flag { b"true" } else { b"false" }),
            // Writing a scalar into a vector does not fail.
            Self::Number(number) => drop(to_writer(out, number)),
            Self::String(text) => write_string(text.as_str(), out),
            Self::Array { elements, .. } => {
                out.push(b'[');
                for (place, element) in elements.iter().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    element.write_into(out);
                }
                out.push(b']');
            }
            Self::Object { members, .. } => {
                write_members(members.iter().map(|(key, value)| (key.as_str(), value)), out);
            }
        }
    }
}

fn write_members<'t>(members: impl Iterator<Item = (&'t str, &'t Tree<'t>)>, out: &mut Bounded) {
    out.push(b'{');
    for (place, (key, value)) in members.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_string(key, out);
        out.push(b':');
        value.write_into(out);
    }
    out.push(b'}');
}

fn write_string(text: &str, out: &mut Bounded) {
    // Writing a string into a vector does not fail.
    let _ = to_writer(out, text);
}
