//! One history as it goes on: what was shown before, and which items what is shown now is.

use std::collections::VecDeque;
use std::rc::Rc;

use bytestring::ByteString;
use hashbrown::HashMap;

use super::Place;
use super::items::{Install, Installed};
use super::sighting::{Sighting, Sightings, marker};
use crate::event::{At, Digest, Facet, ItemKind, ItemPart, PartKind};
use crate::reduce::facts::Reading;
use crate::reduce::graph::{Finding, FindingKind, Inference, Numbers, Producer, VisibleItem};
use crate::semconv::{PREVIOUS_RESPONSE_ID, RESPONSE_ID};

/// A history as it is now.
#[derive(Default)]
struct Current {
    list: Vec<u32>,
    /// The same, so that histories are compared and kept by what each adds.
    numbers: Numbers,
}

impl Current {
    fn extend(&mut self, numbers: &[u32]) {
        self.list.extend_from_slice(numbers);
        self.numbers.extend(numbers.iter().copied());
    }

    /// Makes it begin with a history that was known before.
    fn go_back_to(&mut self, known: &Numbers) {
        if !known.begins(&self.numbers) {
            let shared = self.numbers.shared(known);
            self.list.truncate(shared);
            self.list.extend(known.starting_at(shared));
            self.numbers = known.clone();
        }
    }

    /// Keeps the first `length`.
    fn cut(&mut self, length: usize) {
        self.list.truncate(length);
        self.numbers = self.numbers.first(length);
    }
}

/// Which items of a history nothing has been matched with yet.
struct Free(Vec<bool>);

impl Free {
    fn new(count: usize) -> Self {
        Self(vec![true; count])
    }

    fn is_free(&self, at: usize) -> bool {
        self.0.get(at) == Some(&true)
    }

    /// Whether it was free.
    fn take(&mut self, at: usize) -> bool {
        self.0.get_mut(at).is_some_and(std::mem::take)
    }
}

/// What an item that asks for a call asks by.
fn call_of(facet: Option<&Facet>) -> Option<(ItemKind, &ByteString)> {
    let facet = facet.filter(|facet| facet.kind.is_call())?;
    Some((facet.kind, facet.call_id.as_ref()?))
}

/// Whether one of two sightings of thoughts lacks what only the provider reads, and all that it says the other says too.
fn are_same_thoughts(known: &Facet, told: &Facet) -> bool {
    let are_thoughts = known.kind == ItemKind::Reasoning && told.kind == ItemKind::Reasoning;
    let (shorter, longer) = if told.blob().is_none() { (told, known) } else { (known, told) };
    let is_told =
        |part: &ItemPart| longer.parts.iter().any(|other| (other.kind, other.digest) == (part.kind, part.digest));
    are_thoughts
        && shorter.blob().is_none()
        && !shorter.parts.is_empty()
        && shorter.parts.iter().all(|part| part.digest.is_some() && is_told(part))
}

pub(super) struct History<'a> {
    thread: &'a ByteString,
    pub(super) items: Vec<VisibleItem>,
    /// The identity of each item.
    identities: Vec<usize>,
    sightings: Sightings<'a>,
    current: Current,
    /// Whether the last request extends a response that nobody has seen.
    pub(super) lost: bool,
    /// Histories by their chain digest, and by the response that they end with.
    pub(super) chains: HashMap<Digest, Numbers>,
    responses: HashMap<ByteString, Numbers>,
}

impl<'a> History<'a> {
    pub(super) fn new(facts: &'a Reading<'a>, thread: &'a ByteString) -> Self {
        let (items, identities, sightings) = (Vec::new(), Vec::new(), Sightings::new(facts));
        let (current, chains, responses) = (Current::default(), HashMap::new(), HashMap::new());
        Self { thread, items, identities, sightings, current, lost: false, chains, responses }
    }

    /// The items of a request; nothing where it extends a history that is not known.
    pub(super) fn request(
        &mut self,
        turn: &ByteString,
        inference: &Inference,
        at: At,
        findings: &mut Vec<Finding>,
    ) -> Option<Numbers> {
        let input = &inference.input;
        let previous = inference.call.attrs.get(PREVIOUS_RESPONSE_ID).filter(|_| input.prefix.is_none());
        let base = match (&input.prefix, &previous) {
            (Some(prefix), _) => self.chains.get(prefix).cloned(),
            (None, Some(id)) => self.responses.get(id).cloned(),
            (None, None) => Some(Numbers::default()),
        };
        let place = Place { thread: self.thread, turn };
        if base.is_none() && input.prefix.is_none() {
            let finding = place.finding(FindingKind::Gap, Some(inference.call.key), 1);
            findings.push(Finding { actual: previous, ..finding });
            self.lost = true;
        }
        let places: Vec<u32> = input.items.iter().collect();
        let first_seen = at.time_unix_nano;
        let conflict = |subject| {
            let finding = place.finding(FindingKind::Conflict, Some(inference.call.key), 1);
            findings.push(Finding { subject, ..finding });
        };
        let Some(base) = base else {
            // What is told of by itself is known, and all before it is not. The next whole list may hold both.
            let shown = self.reconcile(&[], &places, turn, first_seen, conflict);
            self.current.extend(&shown);
            return Some(shown.into_iter().collect()).filter(|shown: &Numbers| !shown.is_empty());
        };
        self.current.go_back_to(&base);
        // Messages that a whole request left out are those that stand before the others already.
        let omitted = input.omitted.and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
        let omitted = if input.prefix.is_none() { omitted } else { 0 };
        let kept = base.len().saturating_add(omitted).min(self.current.list.len());
        let list = std::mem::take(&mut self.current.list);
        let before = list.get(kept..).unwrap_or_default();
        let shown = self.reconcile(before, &places, turn, first_seen, conflict);
        // What stands where it stood is not told anew, so that histories share it.
        let same = shown.iter().zip(before).take_while(|(shown, before)| shown == before).count();
        self.current.list = list;
        self.current.cut(kept + same);
        self.current.extend(shown.get(same..).unwrap_or_default());
        let numbers = self.current.numbers.clone();
        if let Some(chain) = input.chain {
            self.chains.entry(chain).or_insert_with(|| numbers.clone());
        }
        Some(numbers)
    }

    /// Gives each sighting a number: that of the item at its place in `before`, of an equal one there, of one that it
    /// tells of differently, or a new one.
    fn reconcile(
        &mut self,
        before: &[u32],
        places: &[u32],
        turn: &ByteString,
        first_seen: u64,
        mut conflict: impl FnMut(Option<ByteString>),
    ) -> Vec<u32> {
        let sightings: Vec<Rc<Sighting>> = places.iter().map(|place| self.sighting(*place)).collect();
        let mut free = Free::new(before.len());
        let mut found: Vec<Option<usize>> = Vec::with_capacity(places.len());
        let mut elsewhere: Option<HashMap<usize, VecDeque<usize>>> = None;
        for (step, sighting) in sightings.iter().enumerate() {
            let is_here = before.get(step).is_some_and(|number| self.identity(*number) == Some(sighting.identity));
            if is_here && free.take(step) {
                found.push(Some(step));
                continue;
            }
            let index = elsewhere.get_or_insert_with(|| self.by_identity(before));
            let equal = index.get_mut(&sighting.identity);
            found.push(equal.and_then(|equal| std::iter::from_fn(|| equal.pop_front()).find(|at| free.take(*at))));
        }
        let mut by_call: Option<HashMap<(ItemKind, ByteString), VecDeque<usize>>> = None;
        let mut numbers = Vec::with_capacity(places.len());
        for (step, (sighting, found)) in sightings.iter().zip(found).enumerate() {
            let found = found.or_else(|| {
                let index = by_call.get_or_insert_with(|| self.by_call(before, &free));
                let (kind, id) = call_of(sighting.facet.as_ref())?;
                let other = index.get_mut(&(kind, id.clone()))?.pop_front()?;
                conflict(Some(id.clone()));
                Some(other)
            });
            let found = found.or_else(|| {
                let number = before.get(step).filter(|_| free.is_free(step))?;
                let known = self.items.get(*number as usize)?.facet.as_ref()?;
                (are_same_thoughts(known, sighting.facet.as_ref()?) && free.take(step)).then_some(step)
            });
            let number = match found.and_then(|at| before.get(at)) {
                Some(number) => {
                    self.complete(*number, sighting);
                    *number
                }
                None => self.add(sighting, turn, first_seen),
            };
            numbers.push(number);
        }
        numbers
    }

    fn by_identity(&self, numbers: &[u32]) -> HashMap<usize, VecDeque<usize>> {
        let mut index: HashMap<usize, VecDeque<usize>> = HashMap::new();
        for (at, number) in numbers.iter().enumerate() {
            if let Some(identity) = self.identity(*number) {
                index.entry(identity).or_default().push_back(at);
            }
        }
        index
    }

    /// Calls that nothing equal was sighted of: one of the same id is told of differently, and the first one counts. What
    /// a tool returned may be shortened, so a result is another item then.
    fn by_call(&self, numbers: &[u32], free: &Free) -> HashMap<(ItemKind, ByteString), VecDeque<usize>> {
        let mut index: HashMap<_, VecDeque<usize>> = HashMap::new();
        for (at, number) in numbers.iter().enumerate().filter(|(at, _)| free.is_free(*at)) {
            let facet = self.items.get(*number as usize).and_then(|item| item.facet.as_ref());
            if let Some((kind, id)) = call_of(facet) {
                index.entry((kind, id.clone())).or_default().push_back(at);
            }
        }
        index
    }

    fn identity(&self, number: u32) -> Option<usize> {
        self.identities.get(number as usize).copied()
    }

    fn add(&mut self, sighting: &Sighting, turn: &ByteString, first_seen_unix_nano: u64) -> u32 {
        let number = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let (item, facet) = (sighting.item.clone(), sighting.facet.clone());
        self.identities.push(sighting.identity);
        self.items.push(VisibleItem { item, facet, turn: turn.clone(), first_seen_unix_nano, produced_by: Vec::new() });
        number
    }

    /// Thoughts that were readable once stay so: what a later sighting adds is taken, nothing is overwritten.
    fn complete(&mut self, number: u32, sighting: &Sighting) {
        let Some(VisibleItem { facet: Some(facet), .. }) = self.items.get_mut(number as usize) else { return };
        let Some(told) = sighting.facet.as_ref().filter(|_| facet.kind == ItemKind::Reasoning) else { return };
        if facet.blob().is_none()
            && told.blob().is_some()
            && let Some(identity) = self.identities.get_mut(number as usize)
        {
            *identity = sighting.identity;
        }
        for kind in [PartKind::Text, PartKind::Summary, PartKind::Encoded] {
            if !facet.parts.iter().any(|part| part.kind == kind) {
                facet.parts.extend(told.parts.iter().filter(|part| part.kind == kind).cloned());
            }
        }
        facet.parts.sort_by_key(|part| part.kind);
    }

    pub(super) fn response(
        &mut self,
        turn: &ByteString,
        inference: &mut Inference,
        at: At,
        findings: &mut Vec<Finding>,
    ) {
        let places: Vec<u32> = inference.output.items.iter().collect();
        let mut produced = Numbers::default();
        let mut calls: HashMap<(ItemKind, ByteString), usize> = HashMap::new();
        for place in places {
            let sighting = self.sighting(place);
            if let Some(facet) = &sighting.facet
                && let Some(id) = facet.call_id.clone().filter(|_| facet.kind.is_call())
                && let Some(first) = calls.insert((facet.kind, id.clone()), sighting.identity)
                && first != sighting.identity
            {
                // One answer calls two things by one id: the first counts, the other is set aside.
                calls.insert((facet.kind, id.clone()), first);
                let finding =
                    Place { thread: self.thread, turn }.finding(FindingKind::Conflict, Some(inference.call.key), 1);
                findings.push(Finding { subject: Some(id), ..finding });
                continue;
            }
            let number = self.add(&sighting, turn, at.time_unix_nano);
            if let Some(item) = self.items.get_mut(number as usize) {
                item.produced_by.push(Producer::Inference(inference.call.key));
            }
            self.current.extend(&[number]);
            produced.push(number);
        }
        let mut whole = inference.input.items.clone();
        whole.extend(produced.iter());
        inference.output.items = produced;
        if let Some(id) = inference.call.attrs.get(RESPONSE_ID) {
            self.responses.entry(id).or_insert(whole);
        }
    }

    /// A shorter history takes the place of the one before: what was replaced is matched, what takes its place is new.
    pub(super) fn install(&mut self, install: &Install) -> Installed {
        let first_seen = install.at.time_unix_nano;
        let before = std::mem::take(&mut self.current).list;
        let replaced = self.reconcile(&before, &install.replaced, &install.turn, first_seen, |_| {});
        let id = install.id.clone().unwrap_or_default();
        let marker = self.sightings.recognise(marker());
        let marker = self.add(&marker, &install.turn, first_seen);
        let mut replacement = Vec::with_capacity(install.replacement.len());
        for place in &install.replacement {
            let sighting = self.sighting(*place);
            replacement.push(self.add(&sighting, &install.turn, first_seen));
        }
        for number in [marker].iter().chain(&replacement) {
            if let Some(item) = self.items.get_mut(*number as usize) {
                item.produced_by.push(Producer::Compaction(id.clone()));
            }
        }
        self.current.extend(&replacement);
        let numbers = self.current.numbers.clone();
        if let Some(chain) = install.chain {
            self.chains.entry(chain).or_insert_with(|| numbers.clone());
        }
        Installed { marker, replaced: replaced.into_iter().collect(), replacement: numbers }
    }

    fn sighting(&mut self, place: u32) -> Rc<Sighting> {
        self.sightings.at(place)
    }
}
