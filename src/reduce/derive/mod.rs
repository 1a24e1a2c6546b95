//! The graph that follows from the facts: every choice between observations is made here, and made again each time.

mod agents;
mod attrs;
mod call;
mod cells;
mod checks;
mod close;
mod current;
mod edges;
mod ending;
mod history;
mod items;
mod link;
mod passed;
mod remarks;
mod segment;
mod settle;
mod sighting;
mod stopped;
mod thread;
mod told;
mod turn;
mod waiting;

pub(super) use agents::{Part, parts};
pub(super) use cells::status as cell_status;
pub(super) use close::{close, was_asked_to_stop};
pub(super) use items::Late;
pub(super) use told::is_turn;
pub(super) use turn::{Place, derive_turn};

use std::collections::{BTreeMap, BTreeSet};

use bytestring::ByteString;

use self::remarks::Remarks;
use self::sighting::Sightings;
use super::facts::{Reading, RolloutFacts};
use super::graph::{Finding, FindingKind, Reason, Rollout, Thread, Totals, Turn};
use crate::event::TraceId;

/// What was told of a turn of a thread.
enum Told {
    /// It is read when its thread is derived.
    Later(ByteString),
    Now(Part),
}

impl Told {
    /// By the turn. One that somebody named as an activation of others is named here comes before that.
    const fn order(&self) -> (&ByteString, bool) {
        match self {
            Self::Later(turn) => (turn, false),
            Self::Now(part) => (&part.turn, true),
        }
    }
}

/// The graph of a rollout. Pure, and linear in the facts but for the sorting of siblings.
pub fn derive(facts: &RolloutFacts) -> Rollout {
    let facts = &Reading::of_all(facts);
    let mut remarks = remarks::derive(facts);
    let mut findings = Vec::new();
    let mut by_thread: BTreeMap<ByteString, Vec<Told>> = BTreeMap::new();
    for (thread, turn) in facts.turns() {
        if turn.parse::<TraceId>().is_err() {
            by_thread.entry(thread).or_default().push(Told::Later(turn));
            continue;
        }
        for part in agents::parts(facts, &thread, &turn) {
            by_thread.entry(part.thread.clone()).or_default().push(Told::Now(part));
        }
    }
    by_thread.values_mut().for_each(|turns| turns.sort_by(|one, other| one.order().cmp(&other.order())));
    let closed = facts.closed.or_else(|| ended(&remarks));
    let ids: BTreeSet<ByteString> = by_thread.keys().chain(remarks.threads.keys()).cloned().collect();
    let mut linked = Vec::new();
    let mut threads: Vec<Thread> = Vec::with_capacity(ids.len());
    let mut sightings = Sightings::new(facts);
    for id in &ids {
        let turns = by_thread.remove(id).unwrap_or_default();
        let thread = thread::derive(facts, &mut sightings, id, turns, closed, &mut linked, &mut findings);
        let Thread { agent, started_at, ended_at, outcome, .. } = remarks.threads.remove(id).unwrap_or_default();
        threads.push(Thread { agent, started_at, ended_at, outcome, ..thread });
    }
    let mut edges = edges::derive(facts, linked, &threads);
    edges.extend(passed::derive(&threads));
    edges.sort_unstable();
    edges::hang(&mut threads, &edges);
    let root = remarks.root.take().or_else(|| edges::root(&threads, &edges));
    let of_root = threads.iter().find(|thread| Some(&thread.id) == root.as_ref());
    let outcome = remarks.ended.and_then(|(_, outcome)| outcome);
    let outcome = outcome.or(of_root.and_then(|root| root.outcome.or(root.turns.last().and_then(|turn| turn.outcome))));
    checks::leaks(&threads, &edges, &mut findings);
    findings.extend(findings_of_the_whole(facts, &remarks));
    findings.sort_unstable();
    let mut totals = Totals::default();
    threads.iter().flat_map(|thread| &thread.turns).for_each(|turn| totals.add(&turn.totals));
    let turns = || threads.iter().flat_map(|thread| &thread.turns);
    let told = |at: Option<crate::event::At>| at.map(|at| at.time_unix_nano);
    let stated = || threads.iter().flat_map(|thread| [told(thread.started_at), told(thread.ended_at)]).flatten();
    let began = told(remarks.began_at).into_iter();
    let over = told(remarks.ended.map(|(at, _)| at)).into_iter();
    Rollout {
        tenant: facts.key.tenant.clone(),
        id: facts.key.rollout.clone(),
        generation: facts.generation,
        closed,
        outcome,
        root,
        started_unix_nano: turns().filter_map(|turn| turn.started_unix_nano).chain(stated()).chain(began).min(),
        last_unix_nano: turns().filter_map(last_seen).chain(stated()).chain(over).max(),
        edges,
        findings,
        quarantine: remarks.quarantine,
        recording: remarks.recording,
        evidence: remarks.evidence,
        totals,
        threads,
    }
}

/// A recording that says that its rollout or its root thread has ended says that nothing more is to come.
fn ended(remarks: &Remarks) -> Option<Reason> {
    let root = remarks.root.as_ref().and_then(|root| remarks.threads.get(root));
    let root_ended = root.is_some_and(|thread| thread.ended_at.is_some());
    (remarks.ended.is_some() || root_ended).then_some(Reason::Ended)
}

fn last_seen(turn: &Turn) -> Option<u64> {
    let segments = turn.segments.iter().filter_map(|segment| segment.call.as_ref());
    let times = segments.chain(turn.calls()).flat_map(|call| [call.opened_at, call.closed_at]);
    times.chain([turn.ended_at]).flatten().map(|at| at.time_unix_nano).max()
}

fn findings_of_the_whole(facts: &Reading<'_>, remarks: &Remarks) -> Vec<Finding> {
    let about_all = |kind, count| Finding {
        kind,
        thread: None,
        turn: None,
        call: None,
        subject: None,
        expected: None,
        actual: None,
        count,
    };
    let mut findings = Vec::new();
    if facts.truncated > 0 {
        findings.push(about_all(FindingKind::Truncated, facts.truncated));
    }
    for key in &facts.foreign {
        findings.push(Finding { call: Some(*key), ..about_all(FindingKind::TenantMismatch, 1) });
    }
    if !remarks.quarantine.is_empty() {
        findings.push(about_all(FindingKind::Quarantined, remarks.quarantine.len() as u64));
    }
    for (name, count) in &remarks.unknown {
        findings.push(Finding { actual: Some(name.clone()), ..about_all(FindingKind::Unknown, *count) });
    }
    findings
}
