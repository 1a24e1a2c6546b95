//! JSON text, read where it stands.
//!
//! Promises to take what [`serde_json::from_str`] takes, and to say the same of it: of a key that stands twice the last
//! value, no more than 127 arrays and objects in each other, and no number beyond a double.

use serde_json::{Number, to_writer};

use super::bounded::Bounded;
use super::node::{Json, Look, Node as Shape};
use crate::event::RawText;
use crate::json::{self, Node};

/// So many arrays and objects in each other serde_json takes.
const MAX_DEPTH: usize = 127;

/// What `then` makes of a JSON text; nothing where it is none.
pub(crate) fn read<R>(text: &str, then: impl FnOnce(Node<'_>) -> R) -> Option<R> {
    let take = |value: Node<'_>| {
        let is_taken = value.depth() <= MAX_DEPTH && value.numbers().all(is_double);
        is_taken.then(|| then(value))
    };
    json::read(text, take).ok().flatten()
}

/// Whether a number of JSON is one that a double can tell, near enough.
fn is_double(literal: &str) -> bool {
    const CERTAIN: usize = 300;
    let is_short = literal.len() < CERTAIN && !literal.bytes().any(|byte| matches!(byte, b'e' | b'E'));
    is_short || literal.parse().is_ok_and(f64::is_finite)
}

impl Json for Node<'_> {}

impl<'t> Look<'t> for Node<'t> {
    fn get(self, key: &str) -> Option<Self> {
        Node::get(self, key)
    }

    fn as_str(self) -> Option<&'t str> {
        Node::as_str(self)
    }

    fn as_array(self) -> Option<impl Iterator<Item = Self>> {
        Node::is_array(self).then(|| Node::elements(self))
    }

    fn is_null(self) -> bool {
        Node::is_null(self)
    }

    fn is_object(self) -> bool {
        Node::is_object(self)
    }

    fn write(self, without: &[&str]) -> RawText {
        let mut out = Bounded::with_room(self.json().len());
        if Node::is_object(self) {
            write_members(self, without, &mut out);
        } else {
            write(self, &mut out);
        }
        out.into_text()
    }
}

impl<'t> Shape for Node<'t> {
    type Look<'v>
        = Node<'v>
    where
        Self: 'v;

    fn look(&self) -> Node<'_> {
        *self
    }

    fn member(&mut self, key: &str) -> Option<Self> {
        Node::get(*self, key).filter(|value| !Node::is_null(*value))
    }

    fn elements(self) -> impl Iterator<Item = Self> {
        Node::elements(self)
    }

    fn text(self) -> RawText {
        match Node::as_str(self) {
            Some(text) => RawText::from(text),
            None => Look::write(self, &[]),
        }
    }

    fn discard(self) {}
}

/// A string as it is, anything else as JSON text.
pub(crate) fn text(value: Node<'_>) -> RawText {
    Shape::text(value)
}

/// Writes a value as serde_json writes it. Nothing that was read here is deeper than the stack.
fn write(value: Node<'_>, out: &mut Bounded) {
    let json = value.json();
    match json.as_bytes() {
        [b'"', ..] => match value.as_str() {
            // What has escapes may be written in another way.
            Some(text) if text.len() + 2 != json.len() => drop(to_writer(out, text)),
            _ => out.add(json.as_bytes()),
        },
        [b'{', ..] => write_members(value, &[], out),
        [b'[', ..] => {
            out.push(b'[');
            for (place, element) in value.elements().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write(element, out);
            }
            out.push(b']');
        }
        [b'-' | b'0'..=b'9', ..] => write_number(json, out),
        _ => out.add(json.as_bytes()),
    }
}

fn write_number(literal: &str, out: &mut Bounded) {
    /// An integer of so many characters is one of 64 bits.
    const SHORT: usize = 18;
    let is_plain = literal.len() <= SHORT && literal != "-0" && !literal.contains(['.', 'e', 'E']);
    match literal.parse::<Number>() {
        // Writing a scalar into a vector does not fail.
        Ok(number) if !is_plain => drop(to_writer(out, &number)),
        _ => out.add(literal.as_bytes()),
    }
}

fn write_members(object: Node<'_>, without: &[&str], out: &mut Bounded) {
    out.push(b'{');
    let mut is_first = true;
    let mut member = |name: &str, value: Node<'_>| {
        if without.contains(&name) {
            return;
        }
        if !std::mem::replace(&mut is_first, false) {
            out.push(b',');
        }
        // Writing a string into a vector does not fail.
        let _ = to_writer(&mut *out, name);
        out.push(b':');
        write(value, out);
    };
    if has_each_name_once(object) {
        object.members().for_each(|(name, value)| member(name, value));
    } else {
        // Of those with the same name the last value, in the place of the first.
        let mut last: std::collections::BTreeMap<&str, Node<'_>> = object.members().collect();
        for (name, _) in object.members() {
            if let Some(value) = last.remove(name) {
                member(name, value);
            }
        }
    }
    out.push(b'}');
}

/// Whether no name stands twice in an object.
fn has_each_name_once(object: Node<'_>) -> bool {
    /// Objects of so few members are looked through one by one.
    const FEW: usize = 16;
    let names = || object.members().map(|(name, _)| name);
    if names().nth(FEW).is_none() {
        return names().enumerate().all(|(place, name)| names().take(place).all(|before| before != name));
    }
    let mut names: Vec<&str> = names().collect();
    names.sort_unstable();
    names.is_sorted_by(|one, other| one < other)
}

#[cfg(test)]
#[path = "borrowed_tests.rs"]
mod tests;
