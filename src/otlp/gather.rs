//! What the attributes of a span say of a call.
//!
//! Most of them stand on each span of a request, byte for byte. From the third time on such a one is not read again: what it
//! says is shared, and so are all together that spans of one kind open with.

use smallvec::SmallVec;

use super::any::{AnyView, key_value};
use super::decode::{NotACall, typed};
use super::fields::Core;
use super::repeated::Repeated;
use super::view::SpanView;
use super::wire::Malformed;
use crate::event::{Attrs, Value};
use crate::semconv::{KeyId, Phase, lookup};

/// What the attributes of a span say.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) core: Core,
    pub(super) opened: Attrs,
    pub(super) closed: Attrs,
}

/// What is known of the attributes of one request.
#[allow(missing_debug_implementations)]
pub(crate) struct Known<'r> {
    /// Nothing of what was met once.
    attributes: Repeated<'r, Option<Meaning<'r>>>,
    openings: [Opening<'r>; OPENINGS],
    /// The place of the next one.
    next: usize,
}

/// The different openings of a request that are kept: those of as many kinds of call, or agents.
const OPENINGS: usize = 4;

/// What spans open with, as those of their attributes that were met first, and as what these say.
#[derive(Default)]
struct Opening<'r> {
    told: SmallVec<[&'r [u8]; 16]>,
    attrs: Attrs,
}

impl<'r> Known<'r> {
    /// For the spans of a request.
    #[cfg(feature = "collector")]
    pub(crate) fn of_request() -> Self {
        Self { attributes: Repeated::of_request(), openings: Default::default(), next: 0 }
    }

    /// For one span.
    pub(crate) fn of_one() -> Self {
        Self { attributes: Repeated::of_one(), openings: Default::default(), next: 0 }
    }

    /// What these say together, which may have been told before.
    fn opened(&mut self, opening: SmallVec<[Told<'r>; 16]>) -> Result<Attrs, Malformed> {
        let first = |told: &Told<'r>| if let Told::Known(first) = told { Some(*first) } else { None };
        let told: Option<SmallVec<[&'r [u8]; 16]>> = opening.iter().map(first).collect();
        if let Some(known) = told.as_ref().and_then(|told| self.openings.iter().find(|known| known.is_of(told))) {
            return Ok(known.attrs.clone());
        }
        let mut attrs = Attrs::with_capacity(opening.len());
        for told in opening {
            match told {
                Told::New(id, value) => attrs.insert(id, value),
                // Meanwhile another one may have its place.
                Told::Known(first) => match self.attributes.find(first) {
                    Some((_, Some(Meaning::Opened(id, value)))) => attrs.insert(*id, value.clone()),
                    _ => {
                        if let Meaning::Opened(id, value) = Meaning::of(first)? {
                            attrs.insert(id, value);
                        }
                    }
                },
            }
        }
        if let Some(told) = told.filter(|told| !told.is_empty()) {
            attrs.share();
            if let Some(place) = self.openings.get_mut(self.next) {
                *place = Opening { told, attrs: attrs.clone() };
            }
            self.next = (self.next + 1) % OPENINGS;
        }
        Ok(attrs)
    }
}

impl Opening<'_> {
    fn is_of(&self, told: &[&[u8]]) -> bool {
        // Where one was met first tells it from all others.
        self.told.len() == told.len() && self.told.iter().zip(told).all(|(one, other)| std::ptr::eq(*one, *other))
    }
}

/// One thing that a span tells of the opening of its call.
enum Told<'r> {
    /// It was told before, here.
    Known(&'r [u8]),
    New(KeyId, Value),
}

/// What an attribute says.
enum Meaning<'r> {
    /// A field of a record, which is read for each span.
    Core(KeyId, AnyView<'r>),
    Opened(KeyId, Value),
    Closed(KeyId, Value),
    /// It has a name that the table lacks, or a value of another type than the table's.
    Nothing,
}

impl<'r> Meaning<'r> {
    fn of(attribute: &'r [u8]) -> Result<Self, Malformed> {
        let (key, value) = key_value(attribute)?;
        let Some(id) = lookup(key) else { return Ok(Self::Nothing) };
        let name = id.name();
        Ok(match name.phase {
            Phase::Core => Self::Core(id, value),
            Phase::Opened => typed(name.kind, &value)?.map_or(Self::Nothing, |value| Self::Opened(id, value)),
            Phase::Closed => typed(name.kind, &value)?.map_or(Self::Nothing, |value| Self::Closed(id, value)),
            Phase::Marked | Phase::Foreign => Self::Nothing,
        })
    }
}

/// Reads the attributes of a span.
pub(super) fn gather<'r>(span: &SpanView<'r>, known: &mut Known<'r>) -> Result<Gathered, NotACall> {
    let (mut core, mut closed) = (Core::default(), Attrs::with_capacity(8));
    let mut opening = SmallVec::new();
    for attribute in span.attribute_messages() {
        let attribute = attribute?;
        let Some((first, known)) = known.attributes.find(attribute) else {
            match Meaning::of(attribute)? {
                Meaning::Core(id, value) => core.set(id, &value)?,
                Meaning::Opened(id, value) => opening.push(Told::New(id, value)),
                Meaning::Closed(id, value) => closed.insert(id, value),
                Meaning::Nothing => {}
            }
            known.attributes.put(attribute, None);
            continue;
        };
        if known.is_none() {
            *known = Some(Meaning::of(attribute)?);
        }
        match known {
            Some(Meaning::Core(id, value)) => core.set(*id, value)?,
            Some(Meaning::Opened(..)) => opening.push(Told::Known(first)),
            Some(Meaning::Closed(id, value)) => closed.insert(*id, value.clone()),
            Some(Meaning::Nothing) | None => {}
        }
    }
    Ok(Gathered { core, opened: known.opened(opening)?, closed })
}
