//! The graph that follows from the facts: every choice between observations is made here, and made again each time.

mod attrs;
mod call;
mod close;
mod edges;
mod segment;
mod settle;
mod thread;
mod turn;

pub(super) use turn::{Place, derive_turn};

use super::facts::RolloutFacts;
use super::graph::{Finding, FindingKind, Rollout, Thread, Totals, Turn};

/// The graph of a rollout. Pure, and linear in the facts but for the sorting of siblings.
pub fn derive(facts: &RolloutFacts) -> Rollout {
    let mut findings = Vec::new();
    let mut threads: Vec<Thread> =
        facts.threads.iter().map(|(id, thread)| thread::derive(id, thread, facts.closed, &mut findings)).collect();
    let edges = edges::derive(facts, &threads);
    edges::hang(&mut threads, &edges);
    let root = edges::root(&threads, &edges);
    let last_of_root =
        threads.iter().find(|thread| Some(&thread.id) == root.as_ref()).and_then(|thread| thread.turns.last());
    let outcome = last_of_root.and_then(|turn| turn.outcome);
    findings.extend(findings_of_the_whole(facts));
    findings.sort_unstable();
    let mut totals = Totals::default();
    threads.iter().flat_map(|thread| &thread.turns).for_each(|turn| totals.add(&turn.totals));
    let turns = || threads.iter().flat_map(|thread| &thread.turns);
    Rollout {
        tenant: facts.key.tenant.clone(),
        id: facts.key.rollout.clone(),
        generation: facts.generation,
        closed: facts.closed,
        outcome,
        root,
        started_unix_nano: turns().filter_map(|turn| turn.started_unix_nano).min(),
        last_unix_nano: turns().filter_map(last_seen).max(),
        edges,
        findings,
        totals,
        threads,
    }
}

fn last_seen(turn: &Turn) -> Option<u64> {
    let segments = turn.segments.iter().filter_map(|segment| segment.call.as_ref());
    let times = segments.chain(turn.calls()).flat_map(|call| [call.opened_at, call.closed_at]);
    times.chain([turn.ended_at]).flatten().map(|at| at.time_unix_nano).max()
}

fn findings_of_the_whole(facts: &RolloutFacts) -> Vec<Finding> {
    let about_all =
        |kind, count| Finding { kind, thread: None, turn: None, call: None, expected: None, actual: None, count };
    let mut findings = Vec::new();
    if facts.truncated > 0 {
        findings.push(about_all(FindingKind::Truncated, facts.truncated));
    }
    // They are sorted by name, so those of one name stand together.
    for unknown in &facts.unknown {
        match findings.last_mut() {
            Some(Finding { actual: Some(name), count, .. }) if *name == unknown.name => *count += 1,
            _ => {
                findings.push(Finding { actual: Some(unknown.name.clone()), ..about_all(FindingKind::Unknown, 1) });
            }
        }
    }
    findings
}
