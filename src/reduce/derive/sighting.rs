//! What makes two sightings the same item.

use std::hash::BuildHasher;
use std::sync::Arc;

use bytestring::ByteString;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use crate::event::{Channel, Digest, Facet, Item, ItemKind, ItemPart, Role};
use crate::reduce::facts::Reading;

/// Equal for sightings of one item that is known by its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Identity {
    /// Only the provider can read it: its bytes are its identity.
    Blob(Digest),
    Whole(Option<[ByteString; 2]>, Option<ByteString>, Role, (ItemKind, Option<Channel>), Vec<ItemPart>),
}

/// All sightings of a rollout. They are known by their places in the facts, the same item by the first of its places.
pub(super) struct Sightings<'a> {
    facts: &'a Reading<'a>,
    /// By place, as far as it was asked for.
    identities: Vec<u32>,
    /// Of items that are known as a whole, the first place of each.
    whole: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Of those that are known by their parts.
    by_parts: HashMap<Identity, u32>,
    facets: HashMap<u32, Arc<Facet>>,
}

/// Not asked for yet.
const UNKNOWN: u32 = u32::MAX;
/// The place of what stands nowhere in the facts.
const NOWHERE: u32 = u32::MAX - 1;

impl<'a> Sightings<'a> {
    pub(super) fn new(facts: &'a Reading<'a>) -> Self {
        Self {
            facts,
            identities: vec![UNKNOWN; facts.items_count() as usize],
            whole: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            by_parts: HashMap::new(),
            facets: HashMap::new(),
        }
    }

    /// How many there may be.
    pub(super) fn count(&self) -> usize {
        self.identities.len()
    }

    /// The same for places of the same item.
    pub(super) fn identity(&mut self, place: u32) -> u32 {
        match self.identities.get(place as usize) {
            Some(&identity) if identity != UNKNOWN => return identity,
            None => return NOWHERE,
            Some(_) => {}
        }
        let identity = self.recognise(place);
        if let Some(known) = self.identities.get_mut(place as usize) {
            *known = identity;
        }
        identity
    }

    fn recognise(&mut self, place: u32) -> u32 {
        let (facts, hasher) = (self.facts, &self.hasher);
        let Some(same) = facts.sameness(place) else {
            let (item, facet) = facts.item(place);
            let Some(facet) = facet else { return place };
            let facet = self.facets.entry(place).or_insert_with(|| Arc::new(facet));
            return *self.by_parts.entry(identity(item.role, facet)).or_insert(place);
        };
        let hash_of = |place: &u32| hasher.hash_one(facts.sameness(*place));
        let is_same = |place: &u32| facts.sameness(*place) == Some(same);
        *self.whole.entry(hasher.hash_one(Some(same)), is_same, hash_of).or_insert(place).get()
    }

    /// What else is known of an item than what it is as a whole.
    pub(super) fn facet(&mut self, place: u32) -> Option<Arc<Facet>> {
        let of = |sightings: &Self| sightings.facets.get(&place).cloned();
        of(self).or_else(|| {
            self.facts.sameness(place).is_none().then(|| self.identity(place))?;
            of(self)
        })
    }

    pub(super) fn item(&self, place: u32) -> Item {
        self.facts.item_alone(place)
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
