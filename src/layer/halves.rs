//! Attributes, by the half of the call that carries them.

use super::given::Given;
use super::slot::{Half, Own};
use crate::event::{RawAttrs, RawValue};
use crate::semconv::{KeyId, Type};

/// The attributes of a call. Later values replace earlier ones.
#[derive(Default)]
pub(super) struct Halves {
    pub(super) opened: RawAttrs,
    pub(super) closed: RawAttrs,
    opened_kept: usize,
    closed_kept: usize,
}

/// So many values may wait before those that were replaced are forgotten.
const COMPACT_AT: usize = 64;

impl Halves {
    pub(super) fn iter(&self) -> impl Iterator<Item = (KeyId, RawValue<'_>)> {
        self.opened.iter().chain(self.closed.iter())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.opened.is_empty() && self.closed.is_empty()
    }

    pub(super) fn set(&mut self, id: KeyId, value: RawValue<'_>) {
        // No field stands for what is no half's.
        if let Some(half) = Half::of(id.name().phase) {
            self.half(half).push(id, value);
        }
    }

    /// Takes what a field gave.
    pub(super) fn put(&mut self, own: Own, given: Given<'_>) {
        match given {
            Given::Text(text) => self.text(own, text),
            Given::Double(number) => self.double(own, number),
            Given::Bool(flag) => self.flag(own, flag),
            Given::Int(_) => self.put_other(own.id, own.half, given),
        }
    }

    /// Takes a text. Like the others, mostly it is of the type that the name wants.
    #[inline]
    pub(super) fn text(&mut self, Own { id, kind, half }: Own, text: &str) {
        match kind {
            Type::Text => self.half(half).push(id, RawValue::Text(text.as_bytes())),
            _ => self.put_other(id, half, Given::Text(text)),
        }
    }

    /// Takes a whole number.
    #[inline]
    pub(super) fn int(&mut self, Own { id, kind, half }: Own, number: i64) {
        match kind {
            Type::Int => self.half(half).push(id, RawValue::Int(number)),
            _ => self.put_other(id, half, Given::Int(i128::from(number))),
        }
    }

    /// Takes a number.
    #[inline]
    pub(super) fn double(&mut self, Own { id, kind, half }: Own, number: f64) {
        match kind {
            Type::Double => self.half(half).push(id, RawValue::Double(number)),
            _ => self.put_other(id, half, Given::Double(number)),
        }
    }

    /// Takes a flag.
    #[inline]
    pub(super) fn flag(&mut self, Own { id, kind, half }: Own, flag: bool) {
        match kind {
            Type::Bool => self.half(half).push(id, RawValue::Bool(flag)),
            _ => self.put_other(id, half, Given::Bool(flag)),
        }
    }

    #[cold]
    fn put_other(&mut self, id: KeyId, half: Half, given: Given<'_>) {
        if let Some(value) = given.typed(id, &mut String::new()) {
            self.half(half).push(id, value);
        }
    }

    #[inline]
    fn half(&mut self, half: Half) -> &mut RawAttrs {
        let (attrs, kept) = match half {
            Half::Opened => (&mut self.opened, &mut self.opened_kept),
            Half::Closed => (&mut self.closed, &mut self.closed_kept),
        };
        // A streamed answer may record its usage with each chunk.
        if attrs.len() >= COMPACT_AT {
            compact(attrs, kept);
        }
        attrs
    }

    /// Adds what came later.
    pub(super) fn merge(&mut self, newer: &Self) {
        newer.iter().for_each(|(id, value)| self.set(id, value));
    }

    /// Leaves of each label no more than it takes to be none.
    pub(super) fn shorten(&mut self) {
        self.opened.shorten();
        self.closed.shorten();
    }

    /// The bytes that they keep in memory beside their own.
    pub(super) fn held_bytes(&self) -> usize {
        self.opened.held_bytes() + self.closed.held_bytes()
    }

    /// Wipes all of them.
    pub(super) fn clear(&mut self) {
        self.opened.clear();
        self.closed.clear();
        (self.opened_kept, self.closed_kept) = (0, 0);
    }
}

/// Only once there are twice as many as were kept the last time: of a long array all are.
#[cold]
fn compact(attrs: &mut RawAttrs, kept: &mut usize) {
    if attrs.len() >= 2 * *kept {
        attrs.compact();
        *kept = attrs.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semconv::{INPUT_TOKENS, SKILLS};

    #[test]
    fn what_was_replaced_is_forgotten_and_a_long_array_is_not_read_again_with_each_element() {
        let (mut halves, mut kept) = (Halves::default(), Vec::new());
        for number in 0..10_000 {
            halves.set(SKILLS.id(), RawValue::Element(b"a"));
            halves.set(INPUT_TOKENS.id(), RawValue::Int(number));
            let now = (halves.opened_kept, halves.closed_kept);
            if kept.last() != Some(&now) {
                kept.push(now);
            }
        }
        assert!(kept.len() < 20, "{}", kept.len());
        let elements = halves.iter().filter(|(id, _)| *id == SKILLS.id()).count();
        assert_eq!((elements, halves.iter().count() < 2 * 10_000 + COMPACT_AT), (10_000, true));
        halves.clear();
        assert!(halves.is_empty() && halves.opened_kept == 0 && halves.closed_kept == 0);
    }
}
