//! Attributes that are safe to leave, sorted and typed.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bytestring::ByteString;

use super::entries::Entries;

use crate::semconv::{Attr, KeyId};

/// A value of an attribute.
#[derive(Clone, Debug)]
pub enum Value {
    /// A string.
    Text(ByteString),
    /// A signed 64-bit integer.
    Int(i64),
    /// A 64-bit float. Compared by its bits, so that a NaN equals itself.
    Double(f64),
    /// A boolean.
    Bool(bool),
    /// An array of strings.
    Texts(Vec<ByteString>),
    /// An array of integers.
    Ints(Vec<i64>),
}

impl Value {
    const fn rank(&self) -> u8 {
        match self {
            Self::Text(_) => 0,
            Self::Int(_) => 1,
            Self::Double(_) => 2,
            Self::Bool(_) => 3,
            Self::Texts(_) => 4,
            Self::Ints(_) => 5,
        }
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Double(a), Self::Double(b)) => a.total_cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Texts(a), Self::Texts(b)) => a.cmp(b),
            (Self::Ints(a), Self::Ints(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Self::Text(text) => text.hash(state),
            Self::Int(number) => number.hash(state),
            Self::Double(number) => number.to_bits().hash(state),
            Self::Bool(flag) => flag.hash(state),
            Self::Texts(texts) => texts.hash(state),
            Self::Ints(numbers) => numbers.hash(state),
        }
    }
}

/// A Rust type that values of an attribute can have.
pub trait FromValue: Sized {
    /// The value as this type, if it has it.
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! from_value {
    ($($rust:ty: $variant:ident),*) => {$(
        impl FromValue for $rust {
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::$variant(inner) => Some(inner.clone()),
                    _ => None,
                }
            }
        }

        impl From<$rust> for Value {
            fn from(inner: $rust) -> Self {
                Self::$variant(inner)
            }
        }
    )*};
}

from_value!(ByteString: Text, i64: Int, f64: Double, bool: Bool, Vec<ByteString>: Texts, Vec<i64>: Ints);

/// As many are looked through one by one.
const FEW: usize = 8;

/// Attributes that are safe to leave: sorted by key, each key once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attrs {
    entries: Entries,
}

impl Attrs {
    /// None, with room for `capacity`.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { entries: Entries::Own(Vec::with_capacity(capacity)) }
    }

    /// Of entries that stand in the order of their keys, each key once.
    pub(crate) fn in_order(entries: Vec<(KeyId, Value)>) -> Self {
        debug_assert!(entries.is_sorted_by(|(one, _), (other, _)| one < other));
        Self { entries: Entries::Own(entries) }
    }

    /// Sets a value; an earlier one of the same key is replaced.
    pub fn set<T: Into<Value>>(&mut self, attr: Attr<T>, value: T) {
        self.insert(attr.id(), value.into());
    }

    /// Sets a value by its id; an earlier one of the same key is replaced.
    ///
    /// Always inlined, so that a value is made where it stays: one that is written piece by piece and moved as a whole has to
    /// be waited for.
    #[inline(always)]
    pub fn insert(&mut self, id: KeyId, value: Value) {
        self.entries.change(|entries| {
            // Writers mostly come in the order of the table, so the end is looked at first.
            if entries.last().is_none_or(|(last, _)| *last < id) {
                entries.push((id, value));
            } else {
                insert_among(entries, id, value);
            }
        });
    }

    /// Sets all values of others.
    pub(crate) fn append(&mut self, others: Self) {
        others.entries.into_vec().into_iter().for_each(|(id, value)| self.insert(id, value));
    }

    /// Takes all of them out. The memory for a few stays.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Has room for so many without asking for memory again.
    pub(crate) fn reserve(&mut self, count: usize) {
        self.entries.change(|entries| entries.reserve(count));
    }

    /// From now on its clones share what is in it, until one of them changes.
    pub(crate) fn share(&mut self) {
        self.entries.share();
    }

    /// What it shares with its clones, if it does: while somebody holds that, whoever has the same has the same attributes.
    pub(crate) const fn shared(&self) -> Option<&Arc<[(KeyId, Value)]>> {
        match &self.entries {
            Entries::Shared(shared) => Some(shared),
            Entries::Own(_) => None,
        }
    }

    /// The most strings of one array.
    const MAX_TEXTS: usize = 512;

    /// Appends to an array of strings. Says whether it has: there is no room for more than 512.
    #[inline]
    pub fn push_text(&mut self, id: KeyId, text: ByteString) -> bool {
        self.entries.change(|entries| {
            match entries.binary_search_by_key(&id, |(key, _)| *key) {
                Err(place) => entries.insert(place, (id, Value::Texts(vec![text]))),
                Ok(place) => match entries.get_mut(place) {
                    Some((_, Value::Texts(texts))) if texts.len() < Self::MAX_TEXTS => texts.push(text),
                    Some((_, Value::Texts(_))) | None => return false,
                    Some((_, other)) => *other = Value::Texts(vec![text]),
                },
            }
            true
        })
    }

    /// The value of an attribute, if it is there and has the attribute's type.
    pub fn get<T: FromValue>(&self, attr: Attr<T>) -> Option<T> {
        self.value(attr.id()).and_then(T::from_value)
    }

    /// The text of an attribute, borrowed.
    pub fn text(&self, attr: Attr<ByteString>) -> Option<&str> {
        match self.value(attr.id()) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The value under an id.
    pub fn value(&self, id: KeyId) -> Option<&Value> {
        // Few are looked through faster than they are searched.
        if self.entries.len() <= FEW {
            return self.entries.iter().find(|(key, _)| *key == id).map(|(_, value)| value);
        }
        let place = self.entries.binary_search_by_key(&id, |(key, _)| *key).ok()?;
        self.entries.get(place).map(|(_, value)| value)
    }

    /// Takes the value under an id out.
    pub fn remove(&mut self, id: KeyId) {
        self.entries.change(|entries| entries.retain(|(key, _)| *key != id));
    }

    /// Adds what `more` says and these do not.
    pub(crate) fn complete(&mut self, more: Self) {
        if self.entries.is_empty() {
            *self = more;
            return;
        }
        if more.is_empty() {
            return;
        }
        self.entries.change(|entries| {
            let known = entries.len();
            if entries.last().map(|(id, _)| *id) < more.entries.first().map(|(id, _)| *id) {
                return entries.extend(more.entries.into_vec());
            }
            let ours = |id: &KeyId, entries: &[(KeyId, Value)]| {
                entries.get(..known).unwrap_or_default().binary_search_by_key(id, |(key, _)| *key).is_ok()
            };
            for (id, value) in more.entries.into_vec() {
                if !ours(&id, entries) {
                    entries.push((id, value));
                }
            }
            // Both are in order, so two runs are put together.
            if !entries.is_sorted_by_key(|(id, _)| *id) {
                entries.sort_by_key(|(id, _)| *id);
            }
        });
    }

    /// Copies its texts, so that they keep nothing else in memory.
    pub(crate) fn detach(&mut self) {
        let own = |text: &mut ByteString| *text = ByteString::from(text.to_string());
        let detach = |(_, value): &mut (KeyId, Value)| match value {
            Value::Text(text) => own(text),
            Value::Texts(texts) => texts.iter_mut().for_each(own),
            Value::Int(_) | Value::Double(_) | Value::Bool(_) | Value::Ints(_) => {}
        };
        self.entries.change(|entries| entries.iter_mut().for_each(detach));
    }

    /// All attributes, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (KeyId, &Value)> {
        self.entries.iter().map(|(id, value)| (*id, value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cold]
fn insert_among(entries: &mut Vec<(KeyId, Value)>, id: KeyId, value: Value) {
    match entries.binary_search_by_key(&id, |(key, _)| *key) {
        Ok(place) => {
            if let Some(entry) = entries.get_mut(place) {
                entry.1 = value;
            }
        }
        Err(place) => entries.insert(place, (id, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semconv::{INPUT_TOKENS, REQUEST_MODEL, TEMPERATURE};

    #[test]
    fn a_key_stands_once_whatever_the_order_of_writing() {
        let mut attrs = Attrs::default();
        attrs.set(INPUT_TOKENS, 1);
        attrs.set(REQUEST_MODEL, ByteString::from_static("a"));
        attrs.set(TEMPERATURE, 0.0);
        attrs.set(REQUEST_MODEL, ByteString::from_static("b"));
        assert_eq!(attrs.len(), 3);
        assert_eq!(attrs.text(REQUEST_MODEL), Some("b"));
        assert_eq!(attrs.get(INPUT_TOKENS), Some(1));
        let ids: Vec<_> = attrs.iter().map(|(id, _)| id).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn what_clones_share_none_of_them_can_change_for_the_others() {
        let mut attrs = Attrs::default();
        attrs.set(REQUEST_MODEL, ByteString::from_static("a"));
        let apart = attrs.clone();
        attrs.share();
        let (mut other, mut removed) = (attrs.clone(), attrs.clone());
        assert_eq!(attrs, apart);
        assert!(std::ptr::eq(attrs.shared().unwrap().as_ptr(), other.shared().unwrap().as_ptr()));
        other.set(REQUEST_MODEL, ByteString::from_static("b"));
        removed.remove(REQUEST_MODEL.id());
        assert_eq!((attrs.text(REQUEST_MODEL), other.text(REQUEST_MODEL)), (Some("a"), Some("b")));
        assert!(removed.is_empty() && other.shared().is_none() && attrs < other);
        let shown = [attrs, apart].map(|attrs| format!("{attrs:?}"));
        assert_eq!(shown[0], shown[1]);
    }

    #[test]
    fn what_completes_attributes_overwrites_nothing() {
        let of = |all: &[(Attr<i64>, i64)]| {
            let mut attrs = Attrs::default();
            all.iter().for_each(|(attr, value)| attrs.set(*attr, *value));
            attrs
        };
        use crate::semconv::{Attr, OUTPUT_TOKENS, SEED};
        let all = [(INPUT_TOKENS, 1), (OUTPUT_TOKENS, 2), (SEED, 3)];
        for (one, other) in
            [(&all[..0], &all[..]), (&all[..2], &all[1..]), (&all[1..2], &all[..]), (&all[..], &all[..0])]
        {
            let mut attrs = of(one);
            let theirs: Vec<_> =
                other.iter().map(|(attr, value)| (*attr, value * if one.is_empty() { 1 } else { 10 })).collect();
            attrs.complete(of(&theirs));
            let known = |id: Attr<i64>| one.iter().find(|(attr, _)| attr.id() == id.id()).map(|(_, value)| *value);
            for (attr, value) in &theirs {
                assert_eq!(attrs.get(*attr), known(*attr).or(Some(*value)));
            }
            assert!(one.iter().all(|(attr, value)| attrs.get(*attr) == Some(*value)));
            assert!(attrs.iter().map(|(id, _)| id).is_sorted());
        }
    }

    #[test]
    fn a_nan_equals_itself() {
        assert_eq!(Value::Double(f64::NAN), Value::Double(f64::NAN));
        assert_ne!(Value::Double(0.0), Value::Double(-0.0));
    }
}
