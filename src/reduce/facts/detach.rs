//! Copies that own their bytes.
//!
//! A text read from a request is a slice of the request's one allocation. Kept as it is, sixteen bytes of a label would
//! keep megabytes alive, and the budget would not see them.

use bytestring::ByteString;

use crate::event::{Attrs, Input, Measure, Output, Shown, Value};

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
    // Reduction works on digests: what is shown of content is no part of a run's state.
    (copy.shown, copy.system.shown, copy.tools_shown) = (Shown::NOTHING, Shown::NOTHING, Shown::NOTHING);
    copy.items.shrink_to_fit();
    for item in &mut copy.items {
        item.part_kinds = detach(&item.part_kinds);
    }
    copy
}

pub(super) fn detach_output(output: &Output) -> Output {
    let items = output.items.iter().map(detach_measure).collect();
    Output { items, blobs: output.blobs.clone(), shown: Shown::NOTHING }
}

pub(super) fn detach_measure(measure: &Measure) -> Measure {
    Measure { digest: measure.digest, length: measure.length, shown: Shown::NOTHING }
}
