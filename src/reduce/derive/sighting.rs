//! What makes two sightings the same item.

use std::rc::Rc;

use bytestring::ByteString;
use hashbrown::HashMap;

use crate::event::{Channel, Digest, Facet, Item, ItemKind, ItemPart, Role};
use crate::reduce::facts::Reading;

/// Equal for sightings of one item.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Identity {
    /// Only the provider can read it: its bytes are its identity.
    Blob(Digest),
    Whole(Option<[ByteString; 2]>, Option<ByteString>, Role, (ItemKind, Option<Channel>), Vec<ItemPart>),
    Message(Role, Option<Digest>, Option<u64>),
}

/// An item before it has a number.
pub(super) struct Sighting {
    pub(super) item: Item,
    pub(super) facet: Option<Facet>,
    /// The place of its identity among all.
    pub(super) identity: usize,
}

/// All sightings of a thread, each read once.
pub(super) struct Sightings<'a> {
    facts: &'a Reading<'a>,
    /// All identities, each with its place.
    known: HashMap<Identity, usize>,
    /// By their place in the facts.
    sighted: HashMap<u32, Rc<Sighting>>,
}

impl<'a> Sightings<'a> {
    pub(super) fn new(facts: &'a Reading<'a>) -> Self {
        Self { facts, known: HashMap::new(), sighted: HashMap::new() }
    }

    pub(super) fn at(&mut self, place: u32) -> Rc<Sighting> {
        if let Some(sighting) = self.sighted.get(&place) {
            return Rc::clone(sighting);
        }
        let sighting = Rc::new(self.recognise(self.facts.item(place)));
        self.sighted.insert(place, Rc::clone(&sighting));
        sighting
    }

    pub(super) fn recognise(&mut self, (item, facet): (Item, Option<Facet>)) -> Sighting {
        let next = self.known.len();
        let identity = *self.known.entry(identity(&item, facet.as_ref())).or_insert(next);
        Sighting { item, facet, identity }
    }
}

fn identity(item: &Item, facet: Option<&Facet>) -> Identity {
    match facet {
        None => Identity::Message(item.role, item.digest, item.length.filter(|_| item.digest.is_none())),
        Some(facet) => match facet.blob().filter(|_| facet.kind == ItemKind::Reasoning) {
            Some(blob) => Identity::Blob(*blob),
            None => {
                let parts = facet.parts.iter();
                // Where no digest may leave, the length is all that tells two apart.
                let part = |part: &ItemPart| ItemPart {
                    length: if part.digest.is_some() { 0 } else { part.length },
                    ..part.clone()
                };
                let (between, call_id) = (facet.between.clone(), facet.call_id.clone());
                Identity::Whole(between, call_id, item.role, (facet.kind, facet.channel), parts.map(part).collect())
            }
        },
    }
}

/// The item that marks where a history was replaced: it has no body.
pub(super) fn marker() -> (Item, Option<Facet>) {
    let item = Item { digest: None, role: Role::Assistant, length: None, part_kinds: ByteString::new() };
    let kind = ItemKind::CompactionMarker;
    let facet = Facet { kind, channel: None, call_id: None, name: None, between: None, parts: Vec::new() };
    (item, Some(facet))
}
