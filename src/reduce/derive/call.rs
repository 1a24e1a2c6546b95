//! One call from all versions of its two halves.
//!
//! The first version counts; what it leaves out is taken from the ones after it. A producer that tells of an open call
//! twice, first without and then with digests, is no conflict: two versions disagree only where both speak.

use super::Place;
use super::attrs::{agree, complete};
use super::settle::settle;
use crate::event::{Attrs, CallKind, Key};
use crate::reduce::facts::{CallFacts, CloseBody, Closing, OpenBody, Opening};
use crate::reduce::graph::{Call, Finding, FindingKind, Inference, ToolCall};

pub(super) fn derive(place: Place<'_>, key: Key, facts: &CallFacts, findings: &mut Vec<Finding>) -> Call {
    let opening = facts.openings.iter().next();
    let settled = settle(facts.closings.iter());
    let mut attrs = Attrs::default();
    facts.openings.iter().for_each(|opening| complete(&mut attrs, &opening.attrs));
    let closings = settled.closing.into_iter().chain(facts.closings.iter());
    closings.for_each(|closing| complete(&mut attrs, &closing.attrs));
    let outcome = settled.closing.and_then(|closing| closing.outcome);

    // The outcome of a turn is settled over all its segments, so that is where its conflicts are told.
    if key.kind != CallKind::Turn
        && let Some(outcome) = outcome
    {
        findings.extend(settled.losers.iter().map(|loser| place.conflict(Some(key), outcome, loser.outcome)));
    }
    let disagreeing = disagreements(facts, settled.closing);
    if disagreeing > 0 {
        findings.push(place.finding(FindingKind::Conflict, Some(key), disagreeing));
    }
    if opening.is_none() {
        findings.push(place.finding(FindingKind::Orphan, Some(key), 1));
    }
    Call {
        key,
        span: opening.map(|opening| opening.span),
        opened_at: opening.map(|opening| opening.at),
        closed_at: settled.closing.map(|closing| closing.at),
        outcome,
        end_inferred: false,
        late: false,
        attrs,
        policy: facts.openings.iter().find_map(|opening| opening.policy.clone()),
        conflicts: settled.losers,
    }
}

fn disagreements(facts: &CallFacts, winner: Option<&Closing>) -> u64 {
    let first = facts.openings.iter().next();
    let openings = facts.openings.iter().filter(|other| first.is_some_and(|first| !openings_agree(first, other)));
    // Another outcome is told of by name; here it is about ends that agree on it.
    let closings = facts
        .closings
        .iter()
        .filter(|other| winner.is_some_and(|winner| winner.outcome == other.outcome && !closings_agree(winner, other)));
    (openings.count() + closings.count()) as u64
}

fn openings_agree(one: &Opening, other: &Opening) -> bool {
    let bodies = match (&one.body, &other.body) {
        (OpenBody::Inference(one), OpenBody::Inference(other)) => same_where_told(&**one, &**other),
        (OpenBody::Tool(one), OpenBody::Tool(other)) => same_where_told(one, other),
        _ => true,
    };
    bodies && one.at == other.at && one.span == other.span && agree(&one.attrs, &other.attrs)
}

fn closings_agree(one: &Closing, other: &Closing) -> bool {
    let bodies = match (&one.body, &other.body) {
        (CloseBody::Inference(one), CloseBody::Inference(other)) => same_where_told(one, other),
        (CloseBody::Tool(one), CloseBody::Tool(other)) => same_where_told(one, other),
        _ => true,
    };
    bodies && agree(&one.attrs, &other.attrs)
}

fn same_where_told<T: Default + PartialEq>(one: &T, other: &T) -> bool {
    one == other || *one == T::default() || *other == T::default()
}

pub(super) fn inference(call: Call, facts: &CallFacts) -> Inference {
    let inputs = facts.openings.iter().filter_map(|opening| match &opening.body {
        OpenBody::Inference(input) => Some(&**input),
        _ => None,
    });
    let outputs = by_preference(facts).filter_map(|closing| match &closing.body {
        CloseBody::Inference(output) => Some(output),
        _ => None,
    });
    let input = first_told(inputs);
    let output = first_told(outputs);
    Inference { call, input, output, gap: false }
}

pub(super) fn tool(call: Call, facts: &CallFacts) -> ToolCall {
    let arguments = facts.openings.iter().filter_map(|opening| match &opening.body {
        OpenBody::Tool(arguments) => Some(arguments),
        _ => None,
    });
    let results = by_preference(facts).filter_map(|closing| match &closing.body {
        CloseBody::Tool(result) => Some(result),
        _ => None,
    });
    let arguments = first_told(arguments);
    let result = first_told(results);
    ToolCall { call, arguments, result }
}

fn first_told<'a, T: Clone + Default + PartialEq + 'a>(mut versions: impl Iterator<Item = &'a T>) -> T {
    let nothing = T::default();
    versions.find(|told| **told != nothing).cloned().unwrap_or(nothing)
}

/// The end that counts, then the others: a partial answer told with an end that lost is still an answer.
fn by_preference(facts: &CallFacts) -> impl Iterator<Item = &Closing> {
    settle(facts.closings.iter()).closing.into_iter().chain(facts.closings.iter())
}
