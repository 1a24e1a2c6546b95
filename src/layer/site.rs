//! What the fields of a GenAI call site stand for, found out once for each.

use std::sync::OnceLock;

use tracing::Metadata;
use tracing::field::Field;

use super::call_site::{spread, uses_plain_words};
use super::table::{Meaning, meaning, plain_meaning};

/// Call sites of one place after the first are looked up by name, so the size bounds memory and not what is known.
const PLACES: usize = 512;

static SITES: [OnceLock<Site>; PLACES] = [const { OnceLock::new() }; PLACES];

/// A call site and the meanings of its fields, in their order.
struct Site {
    metadata: &'static Metadata<'static>,
    meanings: Box<[Option<Meaning>]>,
}

/// The fields of one call site.
#[derive(Clone, Copy)]
pub(super) struct Fields {
    metadata: &'static Metadata<'static>,
    known: Option<&'static Site>,
}

impl Fields {
    pub(super) fn of(metadata: &'static Metadata<'static>) -> Self {
        let site = SITES.get(spread(metadata, PLACES)).map(|place| place.get_or_init(|| Site::new(metadata)));
        Self { metadata, known: site.filter(|site| std::ptr::eq(site.metadata, metadata)) }
    }

    /// What a field stands for, if it stands for anything.
    pub(super) fn meaning(self, field: &Field) -> Option<Meaning> {
        match self.known {
            // A number means something within its own call site alone.
            Some(site) if field.callsite() == self.metadata.callsite() => *site.meanings.get(field.index())?,
            _ => by_name(self.metadata, field.name()),
        }
    }

    pub(super) fn is_event(self) -> bool {
        self.metadata.is_event()
    }
}

impl Site {
    fn new(metadata: &'static Metadata<'static>) -> Self {
        let meanings = metadata.fields().iter().map(|field| by_name(metadata, field.name())).collect();
        Self { metadata, meanings }
    }
}

fn by_name(metadata: &Metadata<'_>, name: &str) -> Option<Meaning> {
    meaning(name).or_else(|| if uses_plain_words(metadata) { plain_meaning(name) } else { None })
}
