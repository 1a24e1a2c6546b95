//! Several versions of the same attributes.

use crate::event::Attrs;

/// Adds what `attrs` does not say yet.
pub(super) fn complete(attrs: &mut Attrs, from: &Attrs) {
    for (id, value) in from.iter() {
        if attrs.value(id).is_none() {
            attrs.insert(id, value.clone());
        }
    }
}

/// Whether the two say the same of everything that both speak of.
pub(super) fn agree(one: &Attrs, other: &Attrs) -> bool {
    one.iter().all(|(id, value)| other.value(id).is_none_or(|told| told == value))
}
