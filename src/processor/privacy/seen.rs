//! Attributes of a request that have been judged: most of them stand on every span of it, byte for byte.

#[cfg(feature = "collector")]
use std::cell::RefMut;
use std::cell::{Cell, RefCell};

use super::named::Entry;
#[cfg(feature = "collector")]
use super::runs::Runs;
use crate::otlp::Repeated;

/// Attributes of one request of which it is known that they stay as they are, by the whole of their bytes, and what each is.
/// Nothing is kept of it behind the request, so that no policy sees what another one let pass.
pub(in crate::processor) struct Seen<'r> {
    attributes: RefCell<Repeated<'r, Entry<'r>>>,
    /// The name of a span that stayed, which follows from nothing but itself.
    name: Cell<&'r str>,
    #[cfg(feature = "collector")]
    runs: RefCell<Runs<'r>>,
}

impl Default for Seen<'_> {
    fn default() -> Self {
        Self {
            attributes: RefCell::new(Repeated::of_request()),
            name: Cell::new(""),
            #[cfg(feature = "collector")]
            runs: RefCell::default(),
        }
    }
}

impl<'r> Seen<'r> {
    /// Whether this `KeyValue` message has been seen.
    pub(super) fn has(&self, attribute: &[u8]) -> bool {
        self.attributes.borrow_mut().find(attribute).is_some()
    }

    /// What this message is, if it has been seen.
    pub(super) fn entry(&self, attribute: &[u8]) -> Option<Entry<'r>> {
        self.attributes.borrow_mut().find(attribute).map(|(_, entry)| *entry)
    }

    /// It stays as it is.
    pub(super) fn stays(&self, attribute: &'r [u8], entry: Entry<'r>) {
        self.attributes.borrow_mut().put(attribute, entry);
    }

    /// What stood on the span before.
    #[cfg(feature = "collector")]
    pub(super) fn runs(&self) -> RefMut<'_, Runs<'r>> {
        self.runs.borrow_mut()
    }

    /// Whether this name has been seen.
    pub(super) fn has_name(&self, name: &[u8]) -> bool {
        self.name.get().as_bytes() == name
    }

    /// It stays as it is.
    pub(super) fn name_stays(&self, name: &'r str) {
        self.name.set(name);
    }
}
