//! What makes two sightings the same item.

use std::sync::Arc;

use bytestring::ByteString;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::history::Few;
use crate::event::{Channel, Digest, Facet, Item, ItemKind, ItemPart, Role};
use crate::reduce::facts::Reading;
use crate::reduce::graph::Numbers;

/// Equal for sightings of one item that is known by its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Identity {
    /// Only the provider can read it: its bytes are its identity.
    Blob(Digest),
    Whole(Option<[ByteString; 2]>, Option<ByteString>, Role, (ItemKind, Option<Channel>), Vec<ItemPart>),
}

/// All sightings of a rollout. They are known by their places in the facts, the same item by one of its places.
pub(super) struct Sightings<'a> {
    facts: &'a Reading<'a>,
    /// Of items that are known by their parts, the first place that was asked for.
    by_parts: HashMap<Identity, u32>,
    /// What else is known of each of those, and the place of the item that it is.
    parted: HashMap<u32, (u32, Arc<Facet>)>,
}

/// The place of what stands nowhere in the facts.
const NOWHERE: u32 = u32::MAX;

impl<'a> Sightings<'a> {
    pub(super) fn new(facts: &'a Reading<'a>) -> Self {
        Self { facts, by_parts: HashMap::new(), parted: HashMap::new() }
    }

    /// How many there may be.
    pub(super) fn count(&self) -> usize {
        self.facts.items_count() as usize
    }

    /// Adds the places of a list that was noted.
    pub(super) fn add_places(&self, list: &Numbers, places: &mut Few) {
        self.facts.listed(list, |place| places.push(place));
    }

    /// The same for places of the same item.
    pub(super) fn identity(&mut self, place: u32) -> u32 {
        match self.facts.same(place) {
            Some(same) => same,
            None => self.parted(place).map_or(NOWHERE, |(identity, _)| *identity),
        }
    }

    /// What else is known of an item than what it is as a whole.
    pub(super) fn facet(&mut self, place: u32) -> Option<Arc<Facet>> {
        if self.facts.same(place).is_some() {
            return None;
        }
        self.parted(place).map(|(_, facet)| Arc::clone(facet))
    }

    /// An item, what else is known of it, and its identity.
    pub(super) fn sight(&mut self, place: u32) -> (Item, Option<Arc<Facet>>, u32) {
        let item = self.facts.item_alone(place);
        if let Some(same) = self.facts.same(place) {
            return (item, None, same);
        }
        let (identity, facet) =
            self.parted(place).map_or((NOWHERE, None), |(identity, facet)| (*identity, Some(Arc::clone(facet))));
        (item, facet, identity)
    }

    fn parted(&mut self, place: u32) -> Option<&(u32, Arc<Facet>)> {
        match self.parted.entry(place) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(new) => {
                let (item, facet) = self.facts.item(place);
                let facet = facet?;
                let identity = *self.by_parts.entry(identity(item.role, &facet)).or_insert(place);
                Some(new.insert((identity, Arc::new(facet))))
            }
        }
    }

    /// The item that marks where a history was replaced, and its identity: it has no body.
    pub(super) fn marker(&mut self) -> (Item, Arc<Facet>, u32) {
        let item = Item { digest: None, role: Role::Assistant, length: None, part_kinds: ByteString::new() };
        let kind = ItemKind::CompactionMarker;
        let facet = Facet { kind, channel: None, call_id: None, name: None, between: None, parts: Vec::new() };
        let identity = *self.by_parts.entry(identity(item.role, &facet)).or_insert(NOWHERE);
        (item, Arc::new(facet), identity)
    }
}

fn identity(role: Role, facet: &Facet) -> Identity {
    match facet.blob().filter(|_| facet.kind == ItemKind::Reasoning) {
        Some(blob) => Identity::Blob(*blob),
        None => {
            let parts = facet.parts.iter();
            // Where no digest may leave, the length is all that tells two apart.
            let part = |part: &ItemPart| ItemPart {
                length: if part.digest.is_some() { 0 } else { part.length },
                ..part.clone()
            };
            let (between, call_id) = (facet.between.clone(), facet.call_id.clone());
            Identity::Whole(between, call_id, role, (facet.kind, facet.channel), parts.map(part).collect())
        }
    }
}

/// Whether one of two sightings of thoughts lacks what only the provider reads, and all that it says the other says too.
pub(super) fn are_same_thoughts(known: &Facet, told: &Facet) -> bool {
    let are_thoughts = known.kind == ItemKind::Reasoning && told.kind == ItemKind::Reasoning;
    let (shorter, longer) = if told.blob().is_none() { (told, known) } else { (known, told) };
    let is_told =
        |part: &ItemPart| longer.parts.iter().any(|other| (other.kind, other.digest) == (part.kind, part.digest));
    are_thoughts
        && shorter.blob().is_none()
        && !shorter.parts.is_empty()
        && shorter.parts.iter().all(|part| part.digest.is_some() && is_told(part))
}
