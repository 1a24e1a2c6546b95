//! What was told of the calls of one turn, in an order that does not depend on arrival.

use std::cmp::Ordering;

use crate::event::{CallKind, Facet, Item, Key, Measure};
use crate::reduce::facts::{
    CallRows, CallTold, Closing, GivenFact, Head, InputFact, MarkFact, NotedFact, Opening, Reading, ReturnedFact,
};
use crate::reduce::graph::{Inference, ToolCall};

/// What was told of the calls of a turn.
#[derive(Default)]
pub(in crate::reduce) struct TurnTold {
    /// By key; of each call every version of each observation, earliest first.
    pub(in crate::reduce) calls: Vec<(Key, CallTold)>,
    /// Calls of which nothing was told twice: they are as they will be, but that items are lists that were noted. In no order.
    pub(in crate::reduce) inferences: Vec<Inference>,
    pub(in crate::reduce) tools: Vec<ToolCall>,
}

/// What was told of a turn.
pub(in crate::reduce) fn turn(facts: &Reading<'_>, thread: &str, turn: &str) -> TurnTold {
    let mut told = TurnTold::default();
    let histories = facts.histories(thread);
    let heads: Vec<Head<'_>> = facts.heads(thread, turn).collect();
    // Calls are large, and mostly of these two kinds: they are not moved while there come to be more.
    let count = |kind| heads.iter().filter(|head| head.kind() == kind).count();
    told.inferences.reserve_exact(count(CallKind::Inference));
    told.tools.reserve_exact(count(CallKind::Tool));
    // They stand from the last to the first.
    for head in heads.iter().rev() {
        let mut row = facts.begin(head);
        let key = facts.read_key(&mut row);
        if facts.is_foreign(&key) {
            continue;
        }
        let rows = facts.read_rows(head, row);
        match key.kind {
            CallKind::Inference => {
                if let Some(inference) = facts.plain_inference(&key, &rows, histories) {
                    told.inferences.push(inference);
                    continue;
                }
            }
            CallKind::Tool => {
                if let Some(tool) = facts.plain_tool(&key, &rows) {
                    told.tools.push(tool);
                    continue;
                }
            }
            _ => {}
        }
        told.calls.push((key, observed(facts, &rows)));
    }
    sort(&mut told.calls);
    told
}

/// The same, every call as it was observed.
pub(super) fn observations(facts: &Reading<'_>, thread: &str, turn: &str) -> Vec<(Key, CallTold)> {
    let mut calls: Vec<_> = facts.calls(thread, turn).map(|(key, rows)| (key, observed(facts, &rows))).collect();
    sort(&mut calls);
    calls
}

fn sort(calls: &mut [(Key, CallTold)]) {
    if !calls.is_sorted_by_key(|(key, _)| *key) {
        calls.sort_unstable_by_key(|(key, _)| *key);
    }
}

fn observed(facts: &Reading<'_>, rows: &CallRows) -> CallTold {
    let mut call = facts.told(rows);
    if call.openings.len() > 1 {
        call.openings.sort_by(|one, other| openings(facts, one, other));
    }
    if call.marks.len() > 1 {
        call.marks.sort_by(|one, other| marks(facts, one, other));
    }
    if call.closings.len() > 1 {
        call.closings.sort_by(|one, other| closings(facts, one, other));
    }
    call
}

/// Whether a turn is told of at all, or only somebody's wish to have one or to stop one.
pub(in crate::reduce) fn is_turn(told: &TurnTold) -> bool {
    let is_wish = |kind| matches!(kind, CallKind::Admission | CallKind::Cancel);
    !told.inferences.is_empty() || !told.tools.is_empty() || told.calls.iter().any(|(key, _)| !is_wish(key.kind))
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
