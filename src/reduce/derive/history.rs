//! One history as it goes on: what was shown before, and which items what is shown now is.

use std::collections::VecDeque;
use std::sync::Arc;

use bytestring::ByteString;
use hashbrown::HashMap;
use smallvec::{SmallVec, smallvec};

use super::Place;
use super::current::Current;
use super::items::{Install, Installed, asked_at};
use super::sighting::{Sightings, are_same_thoughts};
use crate::event::{Digest, Facet, Item, ItemKind, PartKind};
use crate::reduce::facts::Histories;
use crate::reduce::graph::{Finding, FindingKind, Inference, Numbers, Producer, VisibleItem};
use crate::semconv::{PREVIOUS_RESPONSE_ID, RESPONSE_ID};

/// Which items of a history nothing has been matched with yet.
struct Free(SmallVec<[bool; 16]>);

impl Free {
    fn new(count: usize) -> Self {
        Self(smallvec![true; count])
    }

    fn is_free(&self, at: usize) -> bool {
        self.0.get(at) == Some(&true)
    }

    /// Whether it was free.
    fn take(&mut self, at: usize) -> bool {
        self.0.get_mut(at).is_some_and(std::mem::take)
    }
}

/// A few numbers: what most requests add.
pub(super) type Few = SmallVec<[u32; 8]>;

/// As many items are looked through one by one; of more there is an index.
const FEW: usize = 16;

/// What an item that asks for a call asks by.
fn call_of(facet: Option<&Facet>) -> Option<(ItemKind, &ByteString)> {
    let facet = facet.filter(|facet| facet.kind.is_call())?;
    Some((facet.kind, facet.call_id.as_ref()?))
}

pub(super) struct History<'a, 'b> {
    thread: &'a ByteString,
    pub(super) items: Vec<VisibleItem>,
    /// The identity of each item.
    identities: Vec<u32>,
    sightings: &'b mut Sightings<'a>,
    current: Current,
    /// What a compaction put in the place of all before, until something goes on from it.
    installed: Option<Numbers>,
    /// Whether the last request extends a response that nobody has seen.
    pub(super) lost: bool,
    shown: Histories<'a>,
    /// The chain digest that was noted last, and its number: the next request mostly goes on from there.
    noted: Option<(Digest, u32)>,
    /// Histories by the number of their chain digest, and by the response that they end with.
    chains: HashMap<u32, Numbers>,
    /// What is known of those that begin with what is not known. Above, what was known before that stands in its place, so
    /// that the next whole list is compared with both.
    parts: HashMap<u32, Numbers>,
    responses: HashMap<ByteString, Numbers>,
}

impl<'a, 'b> History<'a, 'b> {
    /// Of a thread that tells of as many items, and asks as often, as this.
    pub(super) fn new(
        (thread, shown): (&'a ByteString, Histories<'a>),
        sightings: &'b mut Sightings<'a>,
        told: usize,
        asked: usize,
    ) -> Self {
        // What is told again is no other item.
        let count = told.min(sightings.count());
        Self {
            thread,
            items: Vec::with_capacity(count),
            identities: Vec::with_capacity(count),
            sightings,
            current: Current::default(),
            installed: None,
            lost: false,
            shown,
            noted: None,
            chains: HashMap::with_capacity(asked),
            parts: HashMap::new(),
            responses: HashMap::new(),
        }
    }

    /// Whether a history has been shown by now.
    pub(super) fn knows(&self, chain: &Digest) -> bool {
        self.number(chain).is_some_and(|chain| self.chains.contains_key(&chain))
    }

    fn number(&self, chain: &Digest) -> Option<u32> {
        match &self.noted {
            Some((noted, number)) if noted == chain => Some(*number),
            _ => self.shown.number(chain),
        }
    }

    /// The items of a request; those that it tells of by itself where it extends a history that is not known.
    pub(super) fn request(&mut self, turn: &ByteString, inference: &Inference, findings: &mut Vec<Finding>) -> Numbers {
        let input = &inference.input;
        let previous = inference.call.attrs.get(PREVIOUS_RESPONSE_ID).filter(|_| input.prefix.is_none());
        let extended = input.prefix.as_ref().and_then(|prefix| self.number(prefix));
        let is_whole = input.prefix.is_none() && previous.is_none();
        let base = match (&input.prefix, &previous) {
            (Some(_), _) => extended.and_then(|chain| self.chains.get(&chain)).cloned(),
            (None, Some(id)) => self.responses.get(id).cloned(),
            (None, None) => Some(Numbers::default()),
        };
        let place = Place { thread: self.thread, turn };
        if base.is_none() && input.prefix.is_none() {
            let finding = place.finding(FindingKind::Gap, Some(inference.call.key), 1);
            findings.push(Finding { actual: previous, ..finding });
            self.lost = true;
        }
        let mut places = Few::new();
        self.sightings.add_places(&input.items, &mut places);
        let first_seen = asked_at(inference).map_or(0, |at| at.time_unix_nano);
        let conflict = |subject| {
            let finding = place.finding(FindingKind::Conflict, Some(inference.call.key), 1);
            findings.push(Finding { subject, ..finding });
        };
        let Some(base) = base else {
            // What is told of by itself is known, and all before it is not. The next whole list may hold both.
            let shown = self.reconcile(&[], &places, turn, first_seen, conflict);
            self.current.extend(&shown);
            let part: Numbers = shown.into_iter().collect();
            self.note_part(input.chain.as_ref(), &part);
            return part;
        };
        let part = extended.and_then(|chain| self.parts.get(&chain)).cloned();
        self.current.go_back_to(&base);
        if is_whole {
            self.go_on_from_install();
        } else if self.installed.as_ref().is_some_and(|installed| installed.begins(&base)) {
            self.installed = None;
        }
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
        if let Some(mut part) = part {
            part.extend(shown);
            self.note_part(input.chain.as_ref(), &part);
            return part;
        }
        let numbers = self.current.numbers.clone();
        self.note(input.chain.as_ref());
        numbers
    }

    /// A whole list tells what a compaction installed, and what came after that, also where what was asked meanwhile went on
    /// from the history before it.
    fn go_on_from_install(&mut self) {
        let Some(installed) = self.installed.take().filter(|installed| !installed.begins(&self.current.numbers)) else {
            return;
        };
        let mut list: Vec<u32> = installed.iter().collect();
        let newest = list.iter().max().copied();
        list.extend(self.current.list.iter().filter(|number| Some(**number) > newest));
        self.current = Current::default();
        self.current.extend(&list);
    }

    /// Notes the history as it is now, of which no more than a part is known. What was shown whole stays so.
    fn note_part(&mut self, chain: Option<&Digest>, part: &Numbers) {
        let Some((chain, number)) = chain.and_then(|chain| Some((chain, self.number(chain)?))) else { return };
        self.noted = Some((*chain, number));
        if !self.chains.contains_key(&number) {
            self.parts.insert(number, part.clone());
            self.chains.insert(number, self.current.numbers.clone());
        }
    }

    /// Notes the history as it is now, unless the whole of it was noted before.
    fn note(&mut self, chain: Option<&Digest>) {
        let Some((chain, number)) = chain.and_then(|chain| Some((chain, self.number(chain)?))) else { return };
        self.noted = Some((*chain, number));
        if self.parts.remove(&number).is_some() {
            self.chains.remove(&number);
        }
        self.chains.entry(number).or_insert_with(|| self.current.numbers.clone());
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
    ) -> Few {
        if before.is_empty() {
            return places.iter().map(|place| self.see(*place, turn, first_seen)).collect();
        }
        let mut free = Free::new(before.len());
        let mut elsewhere: Option<HashMap<u32, VecDeque<usize>>> = None;
        let mut found: SmallVec<[Option<usize>; 8]> = SmallVec::with_capacity(places.len());
        for (step, place) in places.iter().enumerate() {
            let identity = self.sightings.identity(*place);
            let is_it = |at: usize| before.get(at).is_some_and(|number| self.identity(*number) == Some(identity));
            if is_it(step) && free.take(step) {
                found.push(Some(step));
            } else if before.len() <= FEW {
                found.push((0..before.len()).find(|at| is_it(*at) && free.take(*at)));
            } else {
                let index = elsewhere.get_or_insert_with(|| self.by_identity(before));
                let equal = index.get_mut(&identity);
                found.push(equal.and_then(|equal| std::iter::from_fn(|| equal.pop_front()).find(|at| free.take(*at))));
            }
        }
        let mut by_call: Option<HashMap<(ItemKind, ByteString), VecDeque<usize>>> = None;
        let mut numbers = Few::with_capacity(places.len());
        for (step, (place, found)) in places.iter().zip(&found).enumerate() {
            let found = found.or_else(|| {
                let facet = self.sightings.facet(*place)?;
                let mut told_differently = || {
                    let (kind, id) = call_of(Some(&facet))?;
                    let index = by_call.get_or_insert_with(|| self.by_call(before, &free));
                    let other = index.get_mut(&(kind, id.clone()))?.pop_front()?;
                    conflict(Some(id.clone()));
                    Some(other)
                };
                told_differently().or_else(|| {
                    let number = before.get(step).filter(|_| free.is_free(step))?;
                    let known = self.items.get(*number as usize)?.facet.as_ref()?;
                    (are_same_thoughts(known, &facet) && free.take(step)).then_some(step)
                })
            });
            let number = match found.and_then(|at| before.get(at)) {
                Some(number) => {
                    self.complete(*number, *place);
                    *number
                }
                None => self.see(*place, turn, first_seen),
            };
            numbers.push(number);
        }
        numbers
    }

    fn by_identity(&self, numbers: &[u32]) -> HashMap<u32, VecDeque<usize>> {
        let mut index: HashMap<u32, VecDeque<usize>> = HashMap::new();
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
            let facet = self.items.get(*number as usize).and_then(|item| item.facet.as_deref());
            if let Some((kind, id)) = call_of(facet) {
                index.entry((kind, id.clone())).or_default().push_back(at);
            }
        }
        index
    }

    fn identity(&self, number: u32) -> Option<u32> {
        self.identities.get(number as usize).copied()
    }

    /// A new item, as it stands at a place of the facts.
    fn see(&mut self, place: u32, turn: &ByteString, first_seen_unix_nano: u64) -> u32 {
        let sighted = self.sightings.sight(place);
        self.add(sighted, turn, first_seen_unix_nano)
    }

    fn add(
        &mut self,
        (item, facet, identity): (Item, Option<Arc<Facet>>, u32),
        turn: &ByteString,
        first_seen_unix_nano: u64,
    ) -> u32 {
        let number = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        self.identities.push(identity);
        self.items.push(VisibleItem { item, facet, turn: turn.clone(), first_seen_unix_nano, produced_by: Vec::new() });
        number
    }

    /// Thoughts that were readable once stay so: what a later sighting adds is taken, nothing is overwritten.
    fn complete(&mut self, number: u32, place: u32) {
        let Some(VisibleItem { facet: Some(facet), .. }) = self.items.get_mut(number as usize) else { return };
        if facet.kind != ItemKind::Reasoning {
            return;
        }
        let Some(told) = self.sightings.facet(place) else { return };
        if facet.blob().is_none()
            && told.blob().is_some()
            && let Some(identity) = self.identities.get_mut(number as usize)
        {
            *identity = self.sightings.identity(place);
        }
        for kind in [PartKind::Text, PartKind::Summary, PartKind::Encoded] {
            let of_kind = |facet: &Facet| facet.parts.iter().any(|part| part.kind == kind);
            if !of_kind(facet) && of_kind(&told) {
                Arc::make_mut(facet).parts.extend(told.parts.iter().filter(|part| part.kind == kind).cloned());
            }
        }
        if !facet.parts.is_sorted_by_key(|part| part.kind) {
            Arc::make_mut(facet).parts.sort_by_key(|part| part.kind);
        }
    }

    /// What a model answered at this time.
    pub(super) fn response(
        &mut self,
        turn: &ByteString,
        inference: &mut Inference,
        first_seen: u64,
        findings: &mut Vec<Finding>,
    ) {
        let mut places = Few::new();
        self.sightings.add_places(&inference.output.items, &mut places);
        let mut produced = Numbers::default();
        let mut calls: HashMap<(ItemKind, ByteString), u32> = HashMap::new();
        for place in places.iter().copied() {
            let identity = self.sightings.identity(place);
            if let Some(facet) = self.sightings.facet(place)
                && let Some(id) = facet.call_id.clone().filter(|_| facet.kind.is_call())
                && let Some(first) = calls.insert((facet.kind, id.clone()), identity)
                && first != identity
            {
                // One answer calls two things by one id: the first counts, the other is set aside.
                calls.insert((facet.kind, id.clone()), first);
                let finding =
                    Place { thread: self.thread, turn }.finding(FindingKind::Conflict, Some(inference.call.key), 1);
                findings.push(Finding { subject: Some(id), ..finding });
                continue;
            }
            let number = self.see(place, turn, first_seen);
            self.produced(number, Producer::Inference(inference.call.key));
            self.current.extend(&[number]);
            produced.push(number);
        }
        if let Some(id) = inference.call.attrs.get(RESPONSE_ID) {
            let mut whole = inference.input.items.clone();
            whole.extend(produced.iter());
            self.responses.entry(id).or_insert(whole);
        }
        inference.output.items = produced;
    }

    /// Says of a new item where it comes from. Mostly it comes from one place.
    fn produced(&mut self, number: u32, by: Producer) {
        if let Some(item) = self.items.get_mut(number as usize) {
            item.produced_by = vec![by];
        }
    }

    /// A shorter history takes the place of the one before: what was replaced is matched, what takes its place is new.
    pub(super) fn install(&mut self, install: &Install) -> Installed {
        let first_seen = install.at.time_unix_nano;
        let before = std::mem::take(&mut self.current).list;
        let replaced = self.reconcile(&before, &install.replaced, &install.turn, first_seen, |_| {});
        let id = install.id.clone().unwrap_or_default();
        let (item, facet, identity) = self.sightings.marker();
        let marker = self.add((item, Some(facet), identity), &install.turn, first_seen);
        let mut replacement = Vec::with_capacity(install.replacement.len());
        for place in &install.replacement {
            replacement.push(self.see(*place, &install.turn, first_seen));
        }
        for number in [marker].iter().chain(&replacement) {
            self.produced(*number, Producer::Compaction(id.clone()));
        }
        self.current.extend(&replacement);
        let numbers = self.current.numbers.clone();
        self.installed = Some(numbers.clone());
        self.note(install.chain.as_ref());
        Installed { marker, replaced: replaced.into_iter().collect(), replacement: numbers }
    }
}
