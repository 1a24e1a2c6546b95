//! What was told of the calls of one turn, in an order that does not depend on arrival.

use std::cmp::Ordering;

use hashbrown::HashMap;

use crate::event::{CallKind, Facet, Item, Key, Measure};
use crate::reduce::facts::{
    Closing, GivenFact, InputFact, MarkFact, NotedFact, Observation, Opening, Reading, ReturnedFact,
};

/// Every version of the observations of one call, earliest first.
#[derive(Debug, Default)]
pub(in crate::reduce) struct CallTold {
    pub(super) openings: Vec<Opening>,
    pub(super) marks: Vec<MarkFact>,
    pub(super) closings: Vec<Closing>,
}

/// By key.
pub(in crate::reduce) type TurnTold = Vec<(Key, CallTold)>;

pub(in crate::reduce) fn turn(facts: &Reading<'_>, thread: &str, turn: &str) -> TurnTold {
    let mut told = TurnTold::new();
    let mut places: HashMap<Key, usize> = HashMap::new();
    for (key, observation) in facts.of_turn(thread, turn) {
        // What was told of a call mostly stands together.
        let is_last = told.last().is_some_and(|(last, _)| *last == key);
        let place = if is_last { told.len() - 1 } else { *places.entry(key).or_insert(told.len()) };
        if place == told.len() {
            told.push((key, CallTold::default()));
        }
        let Some((_, call)) = told.get_mut(place) else { continue };
        match observation {
            Observation::Opening(opening) => push(&mut call.openings, opening),
            Observation::Mark(mark) => call.marks.push(mark),
            Observation::Closing(closing) => push(&mut call.closings, closing),
        }
    }
    told.sort_unstable_by_key(|(key, _)| *key);
    for (_, call) in &mut told {
        call.openings.sort_by(|one, other| openings(facts, one, other));
        call.marks.sort_by(|one, other| marks(facts, one, other));
        call.closings.sort_by(|one, other| closings(facts, one, other));
    }
    told
}

/// Mostly there is one.
fn push<T>(all: &mut Vec<T>, one: T) {
    if all.is_empty() {
        all.reserve_exact(1);
    }
    all.push(one);
}

/// Whether a turn is told of at all, or only somebody's wish to have one or to stop one.
pub(in crate::reduce) fn is_turn(told: &TurnTold) -> bool {
    told.iter().any(|(key, _)| !matches!(key.kind, CallKind::Admission | CallKind::Cancel))
}

fn openings(facts: &Reading<'_>, one: &Opening, other: &Opening) -> Ordering {
    let first = |opening: &Opening| (opening.at, opening.span);
    first(one)
        .cmp(&first(other))
        .then_with(|| one.attrs.cmp(&other.attrs))
        .then_with(|| one.links.cmp(&other.links))
        .then_with(|| one.policy.cmp(&other.policy))
        .then_with(|| match (&one.given, &other.given) {
            (GivenFact::Arguments(one), GivenFact::Arguments(other)) => one.cmp(other),
            (GivenFact::Texts(one), GivenFact::Texts(other)) => one.cmp(other),
            (GivenFact::Request(one), GivenFact::Request(other)) => inputs(facts, one, other),
            (one, other) => rank_of_given(one).cmp(&rank_of_given(other)),
        })
}

fn marks(facts: &Reading<'_>, one: &MarkFact, other: &MarkFact) -> Ordering {
    (one.at, one.kind).cmp(&(other.at, other.kind)).then_with(|| one.attrs.cmp(&other.attrs)).then_with(|| {
        let content = |mark: &MarkFact| content(&mark.noted);
        content(one).cmp(&content(other)).then_with(|| match (&one.noted, &other.noted) {
            (NotedFact::Histories(one), NotedFact::Histories(other)) => inputs(facts, &one.replaced, &other.replaced)
                .then_with(|| inputs(facts, &one.replacement, &other.replacement)),
            _ => Ordering::Equal,
        })
    })
}

fn closings(facts: &Reading<'_>, one: &Closing, other: &Closing) -> Ordering {
    (one.at, one.outcome)
        .cmp(&(other.at, other.outcome))
        .then_with(|| one.attrs.cmp(&other.attrs))
        .then_with(|| one.error.cmp(&other.error))
        .then_with(|| one.links.cmp(&other.links))
        .then_with(|| match (&one.returned, &other.returned) {
            (ReturnedFact::Result(one), ReturnedFact::Result(other)) => one.cmp(other),
            (ReturnedFact::Texts(one), ReturnedFact::Texts(other)) => one.cmp(other),
            (ReturnedFact::Answer(one), ReturnedFact::Answer(other)) => {
                one.blobs.cmp(&other.blobs).then_with(|| items(facts, &one.items).cmp(&items(facts, &other.items)))
            }
            (one, other) => rank_of_returned(one).cmp(&rank_of_returned(other)),
        })
}

/// Places of items say nothing of order, so the items themselves are compared.
fn inputs(facts: &Reading<'_>, one: &InputFact, other: &InputFact) -> Ordering {
    let first = |input: &InputFact| (input.prefix, input.chain, input.omitted, input.system.clone(), input.tools);
    first(one)
        .cmp(&first(other))
        .then_with(|| one.blobs.cmp(&other.blobs))
        .then_with(|| items(facts, &one.items).cmp(&items(facts, &other.items)))
}

fn items(facts: &Reading<'_>, places: &[u32]) -> Vec<(Item, Option<Facet>)> {
    places.iter().map(|place| facts.item(*place)).collect()
}

/// The content of a mark, in the order in which the graph has it.
pub(super) fn content(noted: &NotedFact) -> Vec<Measure> {
    match noted {
        NotedFact::Decision { action, alternatives } => [action].into_iter().chain(alternatives).cloned().collect(),
        NotedFact::State(one) | NotedFact::Message(one) => vec![one.clone()],
        NotedFact::Nothing | NotedFact::Histories(_) => Vec::new(),
    }
}

const fn rank_of_given(given: &GivenFact) -> u8 {
    match given {
        GivenFact::Request(_) => 0,
        GivenFact::Arguments(_) => 1,
        GivenFact::Texts(_) => 2,
    }
}

const fn rank_of_returned(returned: &ReturnedFact) -> u8 {
    match returned {
        ReturnedFact::Answer(_) => 0,
        ReturnedFact::Result(_) => 1,
        ReturnedFact::Texts(_) => 2,
    }
}
