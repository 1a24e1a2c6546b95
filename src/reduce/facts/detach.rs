//! Copies that own their bytes.
//!
//! A text read from a request is a slice of the request's one allocation. Kept as it is, sixteen bytes of a label would
//! keep megabytes alive, and the budget would not see them.

use bytestring::ByteString;

use crate::event::{Attrs, Input, Value};

pub(in crate::reduce) fn detach(text: &ByteString) -> ByteString {
    ByteString::from(text.to_string())
}

pub(super) fn detach_attrs(attrs: &Attrs) -> Attrs {
    let mut copy = Attrs::with_capacity(attrs.len());
    for (id, value) in attrs.iter() {
        let value = match value {
            Value::Text(text) => Value::Text(detach(text)),
            Value::Texts(texts) => Value::Texts(texts.iter().map(detach).collect()),
            other => other.clone(),
        };
        copy.insert(id, value);
    }
    copy
}

pub(super) fn detach_input(input: &Input) -> Input {
    let mut copy = input.clone();
    copy.items.shrink_to_fit();
    for item in &mut copy.items {
        item.part_kinds = detach(&item.part_kinds);
    }
    copy
}
