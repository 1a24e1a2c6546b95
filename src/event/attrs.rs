//! Attributes: sorted and typed where they are safe, one flat text where they are still raw.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use bytestring::ByteString;
use smallvec::SmallVec;

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

/// Attributes that are safe to leave: sorted by key, each key once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attrs {
    entries: Vec<(KeyId, Value)>,
}

impl Attrs {
    /// None, with room for `capacity`.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { entries: Vec::with_capacity(capacity) }
    }

    /// Sets a value; an earlier one of the same key is replaced.
    pub fn set<T: Into<Value>>(&mut self, attr: Attr<T>, value: T) {
        self.insert(attr.id(), value.into());
    }

    /// Sets a value by its id; an earlier one of the same key is replaced.
    pub fn insert(&mut self, id: KeyId, value: Value) {
        // Writers mostly come in the order of the table, so the end is looked at first.
        if self.entries.last().is_none_or(|(last, _)| *last < id) {
            self.entries.push((id, value));
            return;
        }
        match self.entries.binary_search_by_key(&id, |(key, _)| *key) {
            Ok(place) => {
                if let Some(entry) = self.entries.get_mut(place) {
                    entry.1 = value;
                }
            }
            Err(place) => self.entries.insert(place, (id, value)),
        }
    }

    /// Appends to an array of strings.
    pub fn push_text(&mut self, id: KeyId, text: ByteString) {
        let place = self.entries.binary_search_by_key(&id, |(key, _)| *key);
        if let Some((_, Value::Texts(texts))) = place.ok().and_then(|place| self.entries.get_mut(place)) {
            texts.push(text);
        } else {
            self.insert(id, Value::Texts(vec![text]));
        }
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
        let place = self.entries.binary_search_by_key(&id, |(key, _)| *key).ok()?;
        self.entries.get(place).map(|(_, value)| value)
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

/// Attributes as a caller gave them: one flat text for all strings, so that recording a few of them allocates nothing.
///
/// Can be neither printed nor compared, and is wiped when dropped: a caller may have put anything into a label.
#[derive(Default)]
#[allow(missing_debug_implementations)]
pub struct RawAttrs {
    text: SmallVec<[u8; 192]>,
    entries: SmallVec<[(KeyId, Slot); 16]>,
}

#[derive(Clone, Copy)]
enum Slot {
    Text(u32, u32),
    /// One of several texts under the same key.
    Element(u32, u32),
    Int(i64),
    Double(f64),
    Bool(bool),
}

/// A value as a caller gave it, borrowed from [`RawAttrs`].
#[allow(missing_debug_implementations)]
#[derive(Clone, Copy)]
pub enum RawValue<'a> {
    /// A string.
    Text(&'a str),
    /// One element of an array of strings; the elements of one key come in order.
    Element(&'a str),
    /// A signed 64-bit integer.
    Int(i64),
    /// A 64-bit float.
    Double(f64),
    /// A boolean.
    Bool(bool),
}

impl RawAttrs {
    /// Adds a text; of several for one key the last one counts.
    pub fn text(&mut self, attr: Attr<ByteString>, value: &str) {
        if let Some((start, end)) = self.append(value) {
            self.entries.push((attr.id(), Slot::Text(start, end)));
        }
    }

    /// Adds one element to an array of strings.
    pub fn element(&mut self, attr: Attr<Vec<ByteString>>, value: &str) {
        if let Some((start, end)) = self.append(value) {
            self.entries.push((attr.id(), Slot::Element(start, end)));
        }
    }

    /// Adds an integer.
    pub fn int(&mut self, attr: Attr<i64>, value: i64) {
        self.entries.push((attr.id(), Slot::Int(value)));
    }

    /// Adds a float.
    pub fn double(&mut self, attr: Attr<f64>, value: f64) {
        self.entries.push((attr.id(), Slot::Double(value)));
    }

    /// Adds a boolean.
    pub fn bool(&mut self, attr: Attr<bool>, value: bool) {
        self.entries.push((attr.id(), Slot::Bool(value)));
    }

    /// Adds a value by its id, whose type the caller has checked.
    pub(crate) fn push(&mut self, id: KeyId, value: RawValue<'_>) {
        let slot = match value {
            RawValue::Text(text) => self.append(text).map(|(start, end)| Slot::Text(start, end)),
            RawValue::Element(text) => self.append(text).map(|(start, end)| Slot::Element(start, end)),
            RawValue::Int(number) => Some(Slot::Int(number)),
            RawValue::Double(number) => Some(Slot::Double(number)),
            RawValue::Bool(flag) => Some(Slot::Bool(flag)),
        };
        self.entries.extend(slot.map(|slot| (id, slot)));
    }

    /// Forgets what a later value of the same key has replaced. Arrays keep all their elements.
    pub(crate) fn compact(&mut self) {
        let mut kept = Self::default();
        for (place, (id, slot)) in self.entries.iter().enumerate() {
            let later = || self.entries.iter().skip(place + 1).any(|(later, _)| later == id);
            if matches!(slot, Slot::Element(..)) || !later() {
                kept.push(*id, self.resolve(*slot));
            }
        }
        *self = kept;
    }

    /// All attributes, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (KeyId, RawValue<'_>)> {
        self.entries.iter().map(|(id, slot)| (*id, self.resolve(*slot)))
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn resolve(&self, slot: Slot) -> RawValue<'_> {
        let slice = |start: u32, end: u32| {
            let bytes = self.text.get(start as usize..end as usize).unwrap_or_default();
            std::str::from_utf8(bytes).unwrap_or_default()
        };
        match slot {
            Slot::Text(start, end) => RawValue::Text(slice(start, end)),
            Slot::Element(start, end) => RawValue::Element(slice(start, end)),
            Slot::Int(number) => RawValue::Int(number),
            Slot::Double(number) => RawValue::Double(number),
            Slot::Bool(flag) => RawValue::Bool(flag),
        }
    }

    /// Nothing where the text would grow over what 32 bits can address.
    fn append(&mut self, value: &str) -> Option<(u32, u32)> {
        let start = u32::try_from(self.text.len()).ok()?;
        let end = u32::try_from(self.text.len().checked_add(value.len())?).ok()?;
        self.text.extend_from_slice(value.as_bytes());
        Some((start, end))
    }
}

impl Drop for RawAttrs {
    fn drop(&mut self) {
        self.text.fill(0);
        zeroize::optimization_barrier(self.text.as_slice());
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
    fn a_nan_equals_itself() {
        assert_eq!(Value::Double(f64::NAN), Value::Double(f64::NAN));
        assert_ne!(Value::Double(0.0), Value::Double(-0.0));
    }
}
