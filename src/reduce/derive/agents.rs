//! Agents in traces of others.
//!
//! Who is not ours gives no ids of threads and turns, so all of a trace comes in as one turn. Here each agent's activation gets
//! back a turn of its own: the outermost one is what the trace stands for, those that come after it are turns of the same
//! thread, and an agent that runs inside of another one has a thread of its own, as the recorder gives it.
//!
//! A call belongs to the agent that it runs inside of by its parents. Where one of these is no call, and so not known, it is
//! the innermost agent that had begun before it and ended after it, if there is exactly one such; else the outermost.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use bytestring::ByteString;

use super::told::{self, TurnTold};
use crate::event::{CallKind, Key, KeyIdentity, SpanId, SpanIds, TraceId};
use crate::reduce::facts::{CallTold, Reading};
use crate::reduce::graph::Call;

/// How far up it is looked for an agent.
const DEPTH: usize = 64;
/// Of more agents in one trace nothing is concluded from their times: each would be looked at for each call.
const TIMED: usize = 128;

/// What was told of one turn.
pub(in crate::reduce) struct Part {
    pub(in crate::reduce) thread: ByteString,
    pub(in crate::reduce) turn: ByteString,
    pub(in crate::reduce) told: TurnTold,
    /// The span of the agent, or of the tool call of it, that it runs inside of.
    pub(in crate::reduce) above: Option<SpanId>,
}

/// What was told of a turn; of a trace of others first what stands for the trace, then one part for each other activation.
pub(in crate::reduce) fn parts(facts: &Reading<'_>, thread: &ByteString, turn: &ByteString) -> Vec<Part> {
    let whole = |told| Part { thread: thread.clone(), turn: turn.clone(), told, above: None };
    if turn.parse::<TraceId>().is_err() {
        return vec![whole(told::turn(facts, thread, turn))];
    }
    let told = told::observations(facts, thread, turn);
    let agents = told.iter().filter(|(key, _)| key.kind == CallKind::Turn && is_of_others(turn, *key));
    if agents.take(2).count() < 2 {
        return vec![whole(TurnTold { calls: told, ..TurnTold::default() })];
    }
    let Activations { agents, calls } = Activations::of(turn, &told);
    let mut parts = vec![whole(TurnTold::default())];
    let mut part_of: Vec<usize> = vec![0; agents.len()];
    let mut roots: Vec<usize> = (0..agents.len()).filter(|agent| owner_of(&agents, *agent).is_none()).collect();
    roots.sort_unstable_by_key(|root| agents.get(*root).map(Agent::order));
    let inside = (0..agents.len()).filter(|agent| owner_of(&agents, *agent).is_some());
    for (number, agent) in roots.iter().skip(1).copied().chain(inside).enumerate() {
        let Some(Agent { ids, owner, from, to }) = agents.get(agent) else { continue };
        let is_timed = agents.len() <= TIMED;
        let by_tool = || the_only_tool_around(&told, &calls, owner.filter(|_| is_timed)?, (*from, *to));
        let above = owner.and_then(|owner| agents.get(owner)).map(|owner| by_tool().unwrap_or(owner.ids.span));
        let own = ids.own_id();
        let thread = if above.is_some() { own.clone() } else { thread.clone() };
        parts.push(Part { thread, turn: own, told: TurnTold::default(), above });
        if let Some(part) = part_of.get_mut(agent) {
            *part = number + 1;
        }
    }
    for ((key, call), belongs) in told.into_iter().zip(calls) {
        let agent = match belongs {
            Belongs::To(agent) => Some(agent),
            Belongs::Nowhere { from } => last_begun(&agents, &roots, from),
        };
        let part = agent.and_then(|agent| part_of.get(agent)).copied().unwrap_or(0);
        if let Some(part) = parts.get_mut(part) {
            part.told.calls.push((key, call));
        }
    }
    parts
}

/// Whether the turn of a call is its trace, so that nobody said which turn it is.
fn is_of_others(turn: &str, key: Key) -> bool {
    let KeyIdentity::Span(trace, _) = key.id else { return false };
    turn.len() == 2 * trace.as_bytes().len() && turn.parse() == Ok(trace)
}

/// Whether an agent's activation got its turn here, or stands for its trace.
pub(super) fn is_activation_of_others(turn: &str, agent: &Call) -> bool {
    let is_own_id = |ids: SpanIds| matches!(agent.key.id, KeyIdentity::Span(..)) && ids.is_own_id(turn);
    is_of_others(turn, agent.key) || agent.span.is_some_and(is_own_id)
}

struct Agent {
    ids: SpanIds,
    from: u64,
    /// Of one that has not ended, the end of time.
    to: u64,
    /// The agent that it runs inside of.
    owner: Option<usize>,
}

impl Agent {
    fn order(&self) -> (u64, Reverse<u64>, SpanId) {
        (self.from, Reverse(self.to), self.ids.span)
    }

    fn holds(&self, other: (u64, u64)) -> bool {
        self.from <= other.0 && other.1 <= self.to
    }
}

/// The tool call of an agent that had begun before these times and ended after them, where there is no other such.
fn the_only_tool_around(
    told: &[(Key, CallTold)],
    calls: &[Belongs],
    owner: usize,
    (from, to): (u64, u64),
) -> Option<SpanId> {
    let tools = told.iter().zip(calls).filter(|((key, call), belongs)| {
        let (began, ended) = times(call);
        let is_its = matches!(belongs, Belongs::To(agent) if *agent == owner);
        key.kind == CallKind::Tool && is_its && began <= from && to <= ended
    });
    let mut spans = tools.filter_map(|((_, call), _)| ids(call)).map(|ids| ids.span);
    spans.next().filter(|_| spans.next().is_none())
}

fn owner_of(agents: &[Agent], agent: usize) -> Option<usize> {
    agents.get(agent)?.owner
}

/// Of agents that none runs inside of, the last that had begun by then, else the first.
fn last_begun(agents: &[Agent], roots: &[usize], from: u64) -> Option<usize> {
    let begun = roots.partition_point(|root| agents.get(*root).is_some_and(|agent| agent.from <= from));
    roots.get(begun.saturating_sub(1)).copied()
}

enum Belongs {
    To(usize),
    Nowhere { from: u64 },
}

/// Whose activation each call of a trace is a part of.
struct Activations {
    agents: Vec<Agent>,
    /// In the order of what was told.
    calls: Vec<Belongs>,
}

impl Activations {
    fn of(turn: &str, told: &[(Key, CallTold)]) -> Self {
        let mut agents = Vec::new();
        let mut spans: BTreeMap<SpanId, (Option<SpanId>, Option<usize>)> = BTreeMap::new();
        for (key, call) in told {
            let Some(ids) = ids(call).filter(|_| is_of_others(turn, *key)) else { continue };
            let agent = (key.kind == CallKind::Turn).then_some(agents.len());
            if agent.is_some() {
                let (from, to) = times(call);
                agents.push(Agent { ids, from, to, owner: None });
            }
            spans.insert(ids.span, (ids.parent, agent));
        }
        let mut activations = Self { agents, calls: Vec::with_capacity(told.len()) };
        let owners: Vec<Option<usize>> = activations
            .agents
            .iter()
            .map(|agent| activations.owner(&spans, agent.ids.parent, (agent.from, agent.to), Some(agent)))
            .collect();
        activations.agents.iter_mut().zip(owners).for_each(|(agent, owner)| agent.owner = owner);
        for (key, call) in told {
            let (from, to) = times(call);
            let own = ids(call).filter(|_| is_of_others(turn, *key));
            let itself = own.filter(|_| key.kind == CallKind::Turn).and_then(|ids| spans.get(&ids.span)?.1);
            let above = || activations.owner(&spans, own?.parent, (from, to), None);
            let belongs = itself.or_else(above).map_or(Belongs::Nowhere { from }, Belongs::To);
            activations.calls.push(belongs);
        }
        activations
    }

    fn owner(
        &self,
        spans: &BTreeMap<SpanId, (Option<SpanId>, Option<usize>)>,
        mut parent: Option<SpanId>,
        times: (u64, u64),
        of: Option<&Agent>,
    ) -> Option<usize> {
        for _ in 0..DEPTH {
            match spans.get(&parent?) {
                Some((_, Some(agent))) => return Some(*agent),
                Some((above, None)) => parent = *above,
                None => return self.around(times, of),
            }
        }
        None
    }

    /// The innermost agent around these times, where all around them are around one another.
    fn around(&self, times: (u64, u64), of: Option<&Agent>) -> Option<usize> {
        if self.agents.len() > TIMED {
            return None;
        }
        let is_before = |agent: &Agent| of.is_none_or(|of| agent.order() < of.order());
        let around = self.agents.iter().enumerate().filter(|(_, agent)| agent.holds(times) && is_before(agent));
        let mut around: Vec<(usize, &Agent)> = around.collect();
        around.sort_unstable_by_key(|(_, agent)| agent.order());
        // Of those that run beside one another it cannot be told which it was: it was the one around them.
        let mut latest_end = 0;
        let mut held_by_it: Vec<bool> = around
            .iter()
            .rev()
            .map(|(_, agent)| {
                let holds_all = agent.to >= latest_end;
                latest_end = latest_end.max(agent.to);
                holds_all
            })
            .collect();
        held_by_it.reverse();
        let mut earliest_end = u64::MAX;
        let mut innermost = None;
        for ((agent, Agent { to, .. }), holds_all) in around.into_iter().zip(held_by_it) {
            if *to <= earliest_end && holds_all {
                innermost = Some(agent);
            }
            earliest_end = earliest_end.min(*to);
        }
        innermost
    }
}

fn ids(call: &CallTold) -> Option<SpanIds> {
    call.openings.first().map(|opening| opening.span)
}

fn times(call: &CallTold) -> (u64, u64) {
    let from = call.openings.first().map_or(0, |opening| opening.at.time_unix_nano);
    (from, call.closings.last().map_or(u64::MAX, |closing| closing.at.time_unix_nano.max(from)))
}
