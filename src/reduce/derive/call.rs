//! One call from all that was told of it.
//!
//! The first version counts; what it leaves out is taken from the ones after it. A producer that tells of an open call
//! twice, first without and then with digests, is no conflict: two versions disagree only where both speak.

use bytestring::ByteString;

use super::Place;
use super::attrs::{agree, complete};
use super::settle::settle;
use super::told::content;
use crate::event::{Arguments, Attrs, CallKind, Key, Measure, Outcome};
use crate::reduce::facts::{CallTold, Closing, GivenFact, InputFact, MarkFact, Opening, OutputFact, ReturnedFact};
use crate::reduce::graph::{Call, CallMark, Finding, FindingKind};
use crate::semconv::{CONNECTION_ID, ERROR_KIND, TOOL_NAME};

/// The error of a result that stands in for the real one: the call waits for a person.
const PLACEHOLDER: &str = "approval_required";

pub(super) fn derive(place: Place<'_>, key: Key, told: &mut CallTold, findings: &mut Vec<Finding>) -> Call {
    let is_read_once = matches!(key.kind, CallKind::Inference | CallKind::Tool);
    if is_read_once && told.openings.len() <= 1 && told.closings.len() <= 1 {
        return only(place, key, told, findings);
    }
    settled(place, key, told, findings)
}

/// A call of whatever was told of it.
pub(super) fn settled(place: Place<'_>, key: Key, told: &CallTold, findings: &mut Vec<Finding>) -> Call {
    let opening = told.openings.first();
    let settled = settle(told.closings.iter().filter(|closing| !is_placeholder(closing, told)));
    let settled = if settled.closing.is_some() { settled } else { settle(told.closings.iter()) };
    let known =
        opening.map_or(0, |opening| opening.attrs.len()) + settled.closing.map_or(0, |closing| closing.attrs.len());
    let mut attrs = Attrs::with_capacity(known);
    told.openings.iter().for_each(|opening| complete(&mut attrs, &opening.attrs));
    let closings = settled.closing.into_iter().chain(&told.closings);
    closings.clone().for_each(|closing| complete(&mut attrs, &closing.attrs));
    let outcome = settled.closing.and_then(|closing| closing.outcome);

    // The outcome of a turn is settled over all its segments, so that is where its conflicts are told.
    if key.kind != CallKind::Turn
        && let Some(outcome) = outcome
    {
        findings.extend(settled.losers.iter().map(|loser| place.conflict(Some(key), outcome, loser.outcome)));
    }
    let disagreeing = disagreements(told, settled.closing);
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
        policy: told.openings.iter().find_map(|opening| opening.policy.clone()),
        error: first_told(closings.map(|closing| &closing.error)),
        marks: told.marks.iter().map(mark).collect(),
        conflicts: settled.losers,
    }
}

/// A call of which each is told once, or not at all: nothing can disagree. Takes the attributes of both.
fn only(place: Place<'_>, key: Key, told: &mut CallTold, findings: &mut Vec<Finding>) -> Call {
    let marks = told.marks.iter().map(mark).collect();
    let (opening, closing) = (told.openings.first_mut(), told.closings.first_mut());
    if opening.is_none() {
        findings.push(place.finding(FindingKind::Orphan, Some(key), 1));
    }
    let mut call = Call {
        key,
        span: opening.as_ref().map(|opening| opening.span),
        opened_at: opening.as_ref().map(|opening| opening.at),
        closed_at: closing.as_ref().map(|closing| closing.at),
        outcome: closing.as_ref().and_then(|closing| closing.outcome),
        end_inferred: false,
        late: false,
        attrs: Attrs::default(),
        policy: None,
        error: Measure::default(),
        marks,
        conflicts: Vec::new(),
    };
    if let Some(opening) = opening {
        call.attrs = std::mem::take(&mut opening.attrs);
        call.policy = opening.policy.take();
    }
    if let Some(closing) = closing {
        call.attrs.complete(std::mem::take(&mut closing.attrs));
        call.error = std::mem::take(&mut closing.error);
    }
    call
}

fn mark(mark: &MarkFact) -> CallMark {
    CallMark { at: mark.at, kind: mark.kind, attrs: mark.attrs.clone(), content: content(&mark.noted) }
}

/// A result of another connection or tool than the call is of is no result of it: the call stays open.
pub(super) fn reject_foreign(place: Place<'_>, key: Key, told: &mut CallTold, findings: &mut Vec<Finding>) {
    for (attr, kind) in [(CONNECTION_ID, FindingKind::ForeignConnection), (TOOL_NAME, FindingKind::ToolMismatch)] {
        let Some(expected) = told.openings.iter().find_map(|opening| opening.attrs.text(attr)) else { continue };
        let is_other = |closing: &Closing| closing.attrs.text(attr).is_some_and(|actual| actual != expected);
        if !told.closings.iter().any(is_other) {
            continue;
        }
        let expected = ByteString::from(expected);
        told.closings.retain(|closing| {
            let actual = closing.attrs.get(attr).filter(|actual| *actual != expected);
            if actual.is_some() {
                let finding = place.finding(kind, Some(key), 1);
                findings.push(Finding { expected: Some(expected.clone()), actual: actual.clone(), ..finding });
            }
            actual.is_none()
        });
    }
}

fn is_placeholder(closing: &Closing, told: &CallTold) -> bool {
    let is_marked = || closing.attrs.text(ERROR_KIND) == Some(PLACEHOLDER);
    told.closings.len() > 1 && (closing.outcome.is_none() || is_marked())
}

/// How often the call returned a placeholder before its result.
pub(super) fn placeholders(told: &CallTold) -> u32 {
    let count = told.closings.iter().filter(|closing| is_placeholder(closing, told)).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Whether all that the call ever returned is a placeholder.
pub(super) fn returned_placeholder(call: &Call) -> bool {
    let marked = call.attrs.text(ERROR_KIND) == Some(PLACEHOLDER);
    call.closed_at.is_some() && (call.outcome.is_none() || marked && call.outcome == Some(Outcome::Failed))
}

fn disagreements(told: &CallTold, winner: Option<&Closing>) -> u64 {
    let first = told.openings.first();
    let others = told.openings.iter().skip(1);
    let openings = others.filter(|other| first.is_some_and(|first| !openings_agree(first, other)));
    // Another outcome is told of by name; here it is about ends that agree on it.
    let closings = told
        .closings
        .iter()
        .filter(|other| winner.is_some_and(|winner| !std::ptr::eq(winner, *other) && differ(winner, other)));
    (openings.count() + closings.count()) as u64
}

/// Whether two ends agree on how the call ended and on nothing else.
fn differ(winner: &Closing, other: &Closing) -> bool {
    winner.outcome == other.outcome && !closings_agree(winner, other)
}

fn openings_agree(one: &Opening, other: &Opening) -> bool {
    let given = match (&one.given, &other.given) {
        (GivenFact::Request(one), GivenFact::Request(other)) => same_where_told(&**one, &**other),
        (GivenFact::Arguments(one), GivenFact::Arguments(other)) => same_where_told(one, other),
        (GivenFact::Texts(one), GivenFact::Texts(other)) => same_where_told(one, other),
        _ => false,
    };
    given && one.at == other.at && one.span == other.span && agree(&one.attrs, &other.attrs)
}

fn closings_agree(one: &Closing, other: &Closing) -> bool {
    let returned = match (&one.returned, &other.returned) {
        (ReturnedFact::Answer(one), ReturnedFact::Answer(other)) => same_where_told(one, other),
        (ReturnedFact::Result(one), ReturnedFact::Result(other)) => same_where_told(one, other),
        (ReturnedFact::Texts(one), ReturnedFact::Texts(other)) => same_where_told(one, other),
        _ => false,
    };
    returned && same_where_told(&one.error, &other.error) && agree(&one.attrs, &other.attrs)
}

fn same_where_told<T: Default + PartialEq>(one: &T, other: &T) -> bool {
    one == other || *one == T::default() || *other == T::default()
}

pub(super) fn input(told: &CallTold) -> Option<&InputFact> {
    let inputs = || {
        told.openings.iter().filter_map(|opening| match &opening.given {
            GivenFact::Request(input) => Some(&**input),
            _ => None,
        })
    };
    if told.openings.len() <= 1 {
        return inputs().next();
    }
    inputs().find(|input| **input != InputFact::default()).or_else(|| inputs().next())
}

pub(super) fn output(told: &CallTold) -> Option<&OutputFact> {
    match told.closings.as_slice() {
        [only] => answer_of(only),
        _ => by_preference(told).filter_map(answer_of).find(|output| **output != OutputFact::default()),
    }
}

const fn answer_of(closing: &Closing) -> Option<&OutputFact> {
    match &closing.returned {
        ReturnedFact::Answer(output) => Some(output),
        _ => None,
    }
}

pub(super) fn arguments(told: &CallTold) -> Arguments {
    first_told(told.openings.iter().filter_map(|opening| match &opening.given {
        GivenFact::Arguments(arguments) => Some(arguments),
        _ => None,
    }))
}

pub(super) fn result(told: &CallTold) -> Measure {
    match told.closings.as_slice() {
        [only] => result_of(only).cloned().unwrap_or_default(),
        _ => first_told(by_preference(told).filter_map(result_of)),
    }
}

const fn result_of(closing: &Closing) -> Option<&Measure> {
    match &closing.returned {
        ReturnedFact::Result(result) => Some(result),
        _ => None,
    }
}

pub(super) fn given_texts(told: &CallTold) -> Vec<Measure> {
    first_told(told.openings.iter().filter_map(|opening| match &opening.given {
        GivenFact::Texts(texts) => Some(texts),
        _ => None,
    }))
}

pub(super) fn returned_texts(told: &CallTold) -> Vec<Measure> {
    first_told(by_preference(told).filter_map(|closing| match &closing.returned {
        ReturnedFact::Texts(texts) => Some(texts),
        _ => None,
    }))
}

fn first_told<'a, T: Clone + Default + PartialEq + 'a>(mut versions: impl Iterator<Item = &'a T>) -> T {
    let nothing = T::default();
    versions.find(|told| **told != nothing).cloned().unwrap_or(nothing)
}

/// The end that counts, then the others: a partial answer told with an end that lost is still an answer. A placeholder is
/// none.
fn by_preference(told: &CallTold) -> impl Iterator<Item = &Closing> {
    let real = move |closing: &&Closing| !is_placeholder(closing, told);
    settle(told.closings.iter().filter(real)).closing.into_iter().chain(told.closings.iter().filter(real))
}
