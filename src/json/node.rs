//! A value, where it stands.

use std::borrow::Cow;

use super::tape::{Kind, Slot, unescaped};

/// What was found in a text.
pub(super) struct Found<'t> {
    pub(super) text: &'t str,
    pub(super) slots: &'t [Slot],
    pub(super) unescaped: &'t str,
    pub(super) depth: u32,
}

/// A value of a text that was read.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations)]
pub(crate) struct Node<'t> {
    found: &'t Found<'t>,
    at: usize,
}

impl<'t> Node<'t> {
    /// The outermost value.
    pub(super) const fn of(found: &'t Found<'t>) -> Self {
        Self { found, at: 0 }
    }

    #[inline]
    fn slot(self) -> Option<&'t Slot> {
        self.found.slots.get(self.at)
    }

    #[inline]
    fn kind(self) -> Kind {
        self.slot().map_or(Kind::Null, |slot| slot.kind)
    }

    /// The slot after all that is in it.
    #[inline]
    fn next(self) -> usize {
        match self.slot() {
            Some(Slot { kind: Kind::Array | Kind::Object, from, .. }) => *from as usize,
            _ => self.at + 1,
        }
    }

    /// The JSON text of the value, as it stands.
    pub(crate) fn json(self) -> &'t str {
        self.slot().and_then(|slot| self.found.text.get(slot.start as usize..slot.end as usize)).unwrap_or_default()
    }

    /// The value of a member of an object, also where it is null.
    #[inline]
    pub(crate) fn get(self, name: &str) -> Option<Node<'t>> {
        let Found { text, slots, unescaped, .. } = *self.found;
        let end = if self.kind() == Kind::Object { self.next() } else { 0 };
        let (mut at, mut last) = (self.at + 1, None);
        while at < end
            && let Some([key, value]) = slots.get(at..).and_then(<[Slot]>::first_chunk)
        {
            // As bytes: where a character ends is known of both.
            let key = match key.kind {
                Kind::Plain => text.as_bytes().get(key.start as usize + 1..key.end as usize - 1),
                _ => unescaped.as_bytes().get(key.from as usize..key.to as usize),
            };
            if key.is_some_and(|key| key == name.as_bytes()) {
                // Mostly there is one, and where there are more the last counts.
                last = Some(at + 1);
            }
            at = match value.kind {
                Kind::Array | Kind::Object => value.from as usize,
                _ => at + 2,
            };
        }
        last.map(|at| Node { found: self.found, at })
    }

    /// The members of an object, as they stand; none of anything else.
    #[inline]
    pub(crate) fn members(self) -> impl Iterator<Item = (&'t str, Node<'t>)> + use<'t> {
        let end = if self.kind() == Kind::Object { self.next() } else { 0 };
        let (found, mut at) = (self.found, self.at + 1);
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let value = Node { found, at: at + 1 };
            let name = Node { found, at }.as_str().unwrap_or_default();
            at = value.next();
            Some((name, value))
        })
    }

    /// The elements of an array; none of anything else.
    #[inline]
    pub(crate) fn elements(self) -> impl Iterator<Item = Node<'t>> + use<'t> {
        let end = if self.kind() == Kind::Array { self.next() } else { 0 };
        let (found, mut at) = (self.found, self.at + 1);
        std::iter::from_fn(move || {
            let element = Node { found, at };
            (at < end).then(|| at = element.next()).map(|()| element)
        })
    }

    /// The string, where it is one that has no escapes or was unescaped.
    #[inline]
    pub(crate) fn as_str(self) -> Option<&'t str> {
        let slot = self.slot()?;
        match slot.kind {
            Kind::Plain => self.found.text.get(slot.start as usize + 1..slot.end as usize - 1),
            Kind::Unescaped => self.found.unescaped.get(slot.from as usize..slot.to as usize),
            _ => None,
        }
    }

    /// The string, where it is one; one whose escapes were left is unescaped now.
    pub(crate) fn text(self) -> Option<Cow<'t, str>> {
        match self.kind() {
            Kind::Escaped => unescaped(self.json()).map(Cow::Owned),
            _ => self.as_str().map(Cow::Borrowed),
        }
    }

    /// The string of a member, where it is one and not empty.
    #[inline]
    pub(crate) fn word(self, name: &str) -> Option<&'t str> {
        self.get(name)?.as_str().filter(|word| !word.is_empty())
    }

    /// The number, where it is a whole one that fits.
    pub(crate) fn as_i64(self) -> Option<i64> {
        if self.kind() == Kind::Number { self.json().parse().ok() } else { None }
    }

    /// The number, where it is a whole one that fits.
    pub(crate) fn as_u64(self) -> Option<u64> {
        if self.kind() == Kind::Number { self.json().parse().ok() } else { None }
    }

    /// The number, where it is one that a double can tell.
    pub(crate) fn as_f64(self) -> Option<f64> {
        if self.kind() == Kind::Number {
            self.json().parse().ok().filter(|number: &f64| number.is_finite())
        } else {
            None
        }
    }

    /// The flag, where it is one.
    pub(crate) fn as_bool(self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// The literals of all numbers in it, itself included.
    pub(crate) fn numbers(self) -> impl Iterator<Item = &'t str> {
        let all = self.found.slots.get(self.at..self.next()).unwrap_or_default();
        let numbers = all.iter().filter(|slot| slot.kind == Kind::Number);
        numbers.filter_map(|slot| self.found.text.get(slot.start as usize..slot.end as usize))
    }

    /// How many arrays and objects stand in each other in the text, at the most.
    pub(crate) const fn depth(self) -> usize {
        self.found.depth as usize
    }

    /// Whether it is a string.
    pub(crate) fn is_text(self) -> bool {
        matches!(self.kind(), Kind::Plain | Kind::Unescaped | Kind::Escaped)
    }

    /// Whether it is null.
    pub(crate) fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Whether it is an object.
    pub(crate) fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// Whether it is an array.
    pub(crate) fn is_array(self) -> bool {
        self.kind() == Kind::Array
    }
}
