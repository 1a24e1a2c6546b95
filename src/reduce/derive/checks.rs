//! What a person should know of parameters and of histories that mix.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use bytestring::ByteString;
use hashbrown::HashMap;

use super::Place;
use crate::event::{Digest, Role, Value};
use crate::reduce::graph::{Edge, Finding, FindingKind, Inference, Producer, Thread, Turn};
use crate::semconv::{
    self, AGENT_NAME, FORMAT_DIGEST, FREQUENCY_PENALTY, KeyId, MAX_TOKENS, PRESENCE_PENALTY, REASONING_LEVEL,
    REQUEST_MODEL, SEED, STOP_DIGEST, TEMPERATURE, TOP_K, TOP_P,
};

/// The parameters that stay the same inside a turn.
const PARAMETERS: [KeyId; 10] = [
    TEMPERATURE.id(),
    TOP_P.id(),
    TOP_K.id(),
    SEED.id(),
    MAX_TOKENS.id(),
    FREQUENCY_PENALTY.id(),
    PRESENCE_PENALTY.id(),
    REASONING_LEVEL.id(),
    STOP_DIGEST.id(),
    FORMAT_DIGEST.id(),
];

/// Between the first and the last of them in the table, so that most others are passed over at a glance.
const SET: RangeInclusive<KeyId> = {
    let (mut first, mut last, mut rest) = (u16::MAX, 0, PARAMETERS.as_slice());
    while let [KeyId(id), others @ ..] = rest {
        first = if *id < first { *id } else { first };
        last = if *id > last { *id } else { last };
        rest = others;
    }
    KeyId(first)..=KeyId(last)
};

/// A parameter that one request has and the next of the same agent and model has not, or has differently. Missing is not
/// the default: it is missing.
pub(super) fn parameters(place: Place<'_>, inferences: &[Inference], findings: &mut Vec<Finding>) {
    let mut in_order: Vec<&Inference> = inferences.iter().filter(|one| one.call.opened_at.is_some()).collect();
    in_order.sort_by_key(|inference| (inference.call.opened_at, inference.call.key));
    // Mostly one agent asks one model: who asked last is remembered beside the others.
    let mut others: HashMap<_, (&Inference, bool)> = HashMap::new();
    let mut last = None;
    for inference in in_order {
        let attrs = &inference.call.attrs;
        let asked = (attrs.text(REQUEST_MODEL), attrs.text(AGENT_NAME));
        let is_set = attrs.iter().any(|(id, _)| SET.contains(&id) && PARAMETERS.contains(&id));
        let before = match last.replace((asked, (inference, is_set))) {
            Some((same, before)) if same == asked => Some(before),
            Some((other, before)) => {
                others.insert(other, before);
                others.remove(&asked)
            }
            None => None,
        };
        let Some((before, was_set)) = before else { continue };
        let parameters: &[KeyId] = if is_set || was_set { &PARAMETERS } else { &[] };
        for id in parameters.iter().copied() {
            let (expected, actual) = (before.call.attrs.value(id), attrs.value(id));
            if expected != actual {
                findings.push(Finding {
                    subject: Some(ByteString::from_static(id.name().key)),
                    expected: expected.map(word),
                    actual: actual.map(word),
                    ..place.finding(FindingKind::ParameterDrift, Some(inference.call.key), 1)
                });
            }
        }
        if let (Some(expected), Some(actual)) = (before.input.tools, inference.input.tools)
            && expected != actual
        {
            findings.push(Finding {
                subject: Some(ByteString::from_static(semconv::TOOLS_DIGEST.key())),
                expected: Some(expected.to_string().into()),
                actual: Some(actual.to_string().into()),
                ..place.finding(FindingKind::ParameterDrift, Some(inference.call.key), 1)
            });
        }
    }
}

fn word(value: &Value) -> ByteString {
    match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string().into(),
        Value::Double(number) => number.to_string().into(),
        Value::Bool(flag) => flag.to_string().into(),
        Value::Texts(_) | Value::Ints(_) => ByteString::new(),
    }
}

/// Shorter content is the same by chance: an "ok" proves nothing.
const TELLING: u64 = 16;

/// Content that one thread was first to show, seen in another that nothing passed to or from, not through others either. What
/// agents are told by their makers is the same in many, and what an agent gives to several that it starts is its own.
pub(super) fn leaks(threads: &[Thread], edges: &[Edge], findings: &mut Vec<Finding>) {
    if threads.len() < 2 {
        return;
    }
    let passed: BTreeSet<(&ByteString, &ByteString)> = edges
        .iter()
        .filter_map(|edge| Some((edge.from.thread()?, edge.to.thread()?)))
        .flat_map(|(from, to)| [(from, to), (to, from)])
        .collect();
    let starters = Starters::of(threads);
    let began: Vec<Option<u64>> = threads.iter().map(first_asked).collect();
    let related = |one: &Thread, other: &Thread| {
        passed.contains(&(&one.id, &other.id)) || starters.stands_above(one, other) || starters.stands_above(other, one)
    };
    let mut first: BTreeMap<Digest, (u64, usize)> = BTreeMap::new();
    for (number, thread) in threads.iter().enumerate() {
        for item in &thread.items {
            if let Some(digest) = item.item.digest.filter(|_| is_telling(item.item.role, item.item.length)) {
                let seen = (item.first_seen_unix_nano, number);
                first.entry(digest).and_modify(|first| *first = (*first).min(seen)).or_insert(seen);
            }
        }
    }
    let mut leaks: BTreeMap<(usize, usize), (&ByteString, u64)> = BTreeMap::new();
    for (number, thread) in threads.iter().enumerate() {
        // What a thread's own models produced is its own, whoever else said the same.
        let shown =
            thread.items.iter().filter(|item| !item.produced_by.iter().any(|by| matches!(by, Producer::Inference(_))));
        for item in shown {
            let Some((seen, of)) = item.item.digest.and_then(|digest| first.get(&digest)) else { continue };
            let Some(owner) = threads.get(*of).filter(|_| *of != number) else { continue };
            let was_given = || {
                let by = starters.by.get(&thread.id);
                let from = |thread: usize, seen: u64| began.get(thread).is_some_and(|began| Some(seen) <= *began);
                by.is_some()
                    && by == starters.by.get(&owner.id)
                    && from(*of, *seen)
                    && from(number, item.first_seen_unix_nano)
            };
            if !related(owner, thread) && !was_given() {
                leaks.entry((number, *of)).or_insert((&item.turn, 0)).1 += 1;
            }
        }
    }
    for ((number, of), (turn, count)) in leaks {
        if let (Some(thread), Some(owner)) = (threads.get(number), threads.get(of)) {
            let finding = Place { thread: &thread.id, turn }.finding(FindingKind::Leak, None, count);
            findings.push(Finding { actual: Some(owner.id.clone()), ..finding });
        }
    }
}

/// Which thread started each.
struct Starters<'a> {
    by: BTreeMap<&'a ByteString, &'a ByteString>,
}

impl<'a> Starters<'a> {
    fn of(threads: &'a [Thread]) -> Self {
        let seen = |thread: &'a Thread| thread.turns.iter().find_map(|turn| Some(&turn.spawned_by.as_ref()?.thread));
        let by = threads.iter().filter_map(|thread| {
            let by = thread.agent.parent.as_ref().or_else(|| seen(thread)).filter(|by| **by != thread.id)?;
            Some((&thread.id, by))
        });
        Self { by: by.collect() }
    }

    /// Whether one started the other, or who did, and so on.
    fn stands_above(&self, one: &Thread, other: &Thread) -> bool {
        std::iter::successors(self.by.get(&other.id), |by| self.by.get(**by)).take(DEPTH).any(|by| **by == one.id)
    }
}

/// How many agents may stand between two of which one passed something on to the other.
const DEPTH: usize = 64;

/// When the models of a thread were first asked.
fn first_asked(thread: &Thread) -> Option<u64> {
    thread
        .turns
        .iter()
        .flat_map(Turn::inferences)
        .filter_map(|one| one.call.opened_at)
        .min()
        .map(|at| at.time_unix_nano)
}

fn is_telling(role: Role, length: Option<u64>) -> bool {
    !matches!(role, Role::System | Role::Developer) && length.is_some_and(|length| length >= TELLING)
}
