//! What the fields of a GenAI call site stand for, found out once for each.

use std::sync::OnceLock;

use tracing::Metadata;
use tracing::field::Field;

use super::call_site::{spread, uses_plain_words};
use super::slot::{Own, Slot};
use super::table::{Meaning, meaning, plain_meaning};
use crate::event::shape::flat;
use crate::semconv::{RESPONSE_ID, RESPONSE_MODEL};

/// Call sites of one place after the first are looked up by name, so the size bounds memory and not what is known.
const PLACES: usize = 512;

static SITES: [OnceLock<Site>; PLACES] = [const { OnceLock::new() }; PLACES];

/// A call site and the meanings of its fields, in their order.
struct Site {
    metadata: &'static Metadata<'static>,
    meanings: Box<[Option<Meaning>]>,
    tells_of_answers_alone: bool,
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

    /// What a field stands for, if it stands for anything; nothing where its name has to be looked up for that.
    #[inline]
    pub(super) fn known(self, field: &Field) -> Option<&'static Option<Meaning>> {
        // A number means something within its own call site alone.
        let site = self.known.filter(|_| field.callsite() == self.metadata.callsite())?;
        site.meanings.get(field.index())
    }

    /// The same by its name.
    #[cold]
    pub(super) fn named(self, field: &Field) -> Option<Meaning> {
        by_name(self.metadata, field.name())
    }

    pub(super) fn is_event(self) -> bool {
        self.metadata.is_event()
    }

    /// Whether an end of which nothing was told is none: the call site tells of answers alone.
    pub(super) fn tells_of_answers_alone(self) -> bool {
        self.known.map_or_else(|| tells_of_answers_alone(self.metadata), |site| site.tells_of_answers_alone)
    }
}

impl Site {
    fn new(metadata: &'static Metadata<'static>) -> Self {
        let meanings = metadata.fields().iter().map(|field| by_name(metadata, field.name())).collect();
        Self { metadata, meanings, tells_of_answers_alone: tells_of_answers_alone(metadata) }
    }
}

fn by_name(metadata: &Metadata<'_>, name: &str) -> Option<Meaning> {
    let plain = || if uses_plain_words(metadata) { plain_meaning(name) } else { None };
    meaning(name).or_else(plain).or_else(|| part_meaning(name))
}

/// The meaning of a name that stands for a part of a message.
fn part_meaning(name: &str) -> Option<Meaning> {
    let (list, number, part) = flat::meaning(name)?;
    let slot = match part {
        flat::Part::FinishReason => Slot::FinishReasons,
        part => Slot::Part(list, number, part),
    };
    Some(Meaning { slot, is_own: false })
}

/// Whether a call site has fields for what every answer has, and none for that there was none. Where these and all others
/// of an answer are empty at the end, nobody has told how it ended: rig leaves the spans of refused requests so.
fn tells_of_answers_alone(metadata: &Metadata<'_>) -> bool {
    let mut has_answers = false;
    for field in metadata.fields() {
        match meaning(field.name()).map(|meaning| meaning.slot) {
            Some(Slot::End(_)) => return false,
            Some(Slot::Attr(id) | Slot::Own(Own { id, .. })) => {
                has_answers |= [RESPONSE_ID.id(), RESPONSE_MODEL.id()].contains(&id)
            }
            Some(Slot::FinishReasons) => has_answers = true,
            Some(Slot::Said(said)) => has_answers |= said.is_answer(),
            _ => {}
        }
    }
    has_answers
}
