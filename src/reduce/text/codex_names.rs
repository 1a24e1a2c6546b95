//! The names that Codex would have given, and where its objects stand among each other.

use std::collections::BTreeMap;

use bytestring::ByteString;
use serde_json::{Value, json};

use super::codex_objects::{millis, status};
use super::json_call::id;
use crate::event::{At, Attrs, CallKind, EdgeKind, Key, Outcome};
use crate::reduce::graph::{Call, Compaction, Numbers, Rollout, Thread, Turn};
use crate::semconv::{CODE_CELL_ID, COMPACTION_ID, EVIDENCE_REQUEST, EVIDENCE_RESPONSE, OPERATION_ID};

/// The names that Codex would have given. What Codex knows by one name alone, though there are several, has the number of
/// its use behind it.
pub(super) struct Names {
    /// By thread, and there in the order of its items.
    items: BTreeMap<ByteString, Vec<u32>>,
    calls: BTreeMap<Key, String>,
    turns: BTreeMap<(ByteString, ByteString), String>,
    terminals: BTreeMap<(ByteString, ByteString), String>,
    /// By thread, and there in the order of its compactions.
    compactions: BTreeMap<(ByteString, usize), String>,
    /// Who started each thread that another one started.
    parents: BTreeMap<ByteString, ByteString>,
    operations: BTreeMap<Key, usize>,
    /// Where no counter tells what came first: the place of each time among all.
    order: Vec<At>,
    /// What each item was first seen in.
    payloads: BTreeMap<ByteString, Vec<ByteString>>,
}

impl Names {
    pub(super) fn of(rollout: &Rollout) -> Self {
        let mut seen = Vec::new();
        let mut calls = Vec::new();
        let mut operations = Vec::new();
        let (mut turns, mut terminals, mut compactions) = (Vec::new(), Vec::new(), Vec::new());
        for thread in &rollout.threads {
            let items = (0u32..).zip(&thread.items);
            seen.extend(items.map(|(number, item)| (item.first_seen_unix_nano, thread.id.clone(), number)));
            let of = |id: &ByteString| (thread.id.clone(), id.clone());
            terminals.extend(thread.terminals.iter().map(|one| ((one.started_at, of(&one.id)), one.id.to_string())));
            let installed = thread.compactions.iter().enumerate().map(|(place, one)| {
                let id = one.id.as_deref().unwrap_or_default().to_owned();
                ((one.at, (thread.id.clone(), place)), id)
            });
            compactions.extend(installed);
            for turn in &thread.turns {
                turns.push(((turn.started_unix_nano, of(&turn.id)), turn.id.to_string()));
                for call in turn.calls() {
                    calls.push(((call.key.kind, call.seen_at(), call.key), name_of(call)));
                    if call.key.kind == CallKind::Terminal {
                        operations.push((call.seen_at(), call.key));
                    }
                }
            }
        }
        seen.sort_unstable();
        operations.sort_unstable();
        let room = |thread: &Thread| (thread.id.clone(), vec![0; thread.items.len()]);
        let mut items: BTreeMap<ByteString, Vec<u32>> = rollout.threads.iter().map(room).collect();
        for ((_, thread, number), name) in seen.into_iter().zip(1..) {
            if let Some(place) = items.get_mut(&thread).and_then(|items| items.get_mut(number as usize)) {
                *place = name;
            }
        }
        let operations = operations.into_iter().zip(1..).map(|((_, key), name)| (key, name)).collect();
        Self {
            items,
            calls: each_its_own(calls, |(kind, ..)| *kind).map(|((_, _, key), name)| (key, name)).collect(),
            turns: each_its_own(turns, |_| ()).map(|((_, of), name)| (of, name)).collect(),
            terminals: each_its_own(terminals, |_| ()).map(|((_, of), name)| (of, name)).collect(),
            compactions: each_its_own(compactions, |_| ()).map(|((_, of), name)| (of, name)).collect(),
            parents: parents(rollout),
            operations,
            order: order(rollout),
            payloads: payloads(rollout),
        }
    }

    /// From when to when. Codex orders by a counter: where there is none, it is the place among all times.
    pub(super) fn window(&self, started: Option<At>, ended: Option<At>, status: &str) -> Value {
        let count = |at: At| at.seq.unwrap_or_else(|| self.order.partition_point(|other| *other <= at) as u64);
        json!({
            "started_at_unix_ms": millis(started).unwrap_or_default(), "started_seq": started.map_or(0, count),
            "ended_at_unix_ms": millis(ended), "ended_seq": ended.map(count), "status": status,
        })
    }

    pub(super) fn execution(&self, call: &Call) -> Value {
        self.execution_as(call, status(call.outcome, Some(&call.attrs)))
    }

    pub(super) fn execution_as(&self, call: &Call, status: &str) -> Value {
        let ended = call.closed_at.filter(|_| call.outcome != Some(Outcome::Abandoned));
        self.window(call.seen_at(), ended, status)
    }

    /// A thread of which nobody told when it began has begun with the first that was seen of it.
    pub(super) fn thread_began(&self, thread: &Thread) -> Option<At> {
        thread.started_at.or_else(|| thread.turns.iter().filter_map(began).min()).or(thread.ended_at)
    }

    /// Who started a thread: who its session says, else the thread that was seen to do it.
    pub(super) fn parent<'a>(&'a self, thread: &'a Thread) -> Option<&'a ByteString> {
        thread.agent.parent.as_ref().or_else(|| self.parents.get(&thread.id))
    }

    /// The reference to what an item was first seen in.
    pub(super) fn payload(&self, thread: &Thread, number: u32) -> &str {
        self.payloads.get(&thread.id).and_then(|payloads| payloads.get(number as usize)).map_or("", |id| id)
    }

    pub(super) fn turn(&self, thread: &Thread, id: &ByteString) -> String {
        of_thread(&self.turns, thread, id)
    }

    pub(super) fn terminal_id(&self, thread: &Thread, id: &ByteString) -> String {
        of_thread(&self.terminals, thread, id)
    }

    /// The compaction at a place among those of its thread.
    pub(super) fn compaction(&self, thread: &Thread, place: usize) -> String {
        self.compactions.get(&(thread.id.clone(), place)).cloned().unwrap_or_default()
    }

    /// The compaction that an attempt was made for. One that led to none has the id that it told.
    pub(super) fn compaction_of_attempt(&self, thread: &Thread, attempt: &Call) -> Option<String> {
        let id = attempt.attrs.get(COMPACTION_ID)?;
        let place = thread.compactions.iter().position(|one| one.attempts.contains(&attempt.key));
        Some(place.map_or_else(|| id.to_string(), |place| self.compaction(thread, place)))
    }

    /// The compaction that put an item where it stands.
    pub(super) fn compaction_of_item(&self, thread: &Thread, item: u32) -> Option<String> {
        let put = |one: &Compaction| one.marker == item || one.replacement.iter().any(|number| number == item);
        Some(self.compaction(thread, thread.compactions.iter().position(put)?))
    }

    pub(super) fn item(&self, thread: &Thread, number: u32) -> String {
        self.item_of(&thread.id, number)
    }

    pub(super) fn item_of(&self, thread: &ByteString, number: u32) -> String {
        let name = self.items.get(thread).and_then(|items| items.get(number as usize));
        format!("conversation_item:{}", name.copied().unwrap_or_default())
    }

    pub(super) fn items(&self, thread: &Thread, numbers: &Numbers) -> Vec<String> {
        numbers.iter().map(|number| self.item(thread, number)).collect()
    }

    pub(super) fn list(&self, thread: &Thread, numbers: &[u32]) -> Vec<String> {
        numbers.iter().map(|number| self.item(thread, *number)).collect()
    }

    pub(super) fn call(&self, key: Key) -> String {
        self.calls.get(&key).cloned().unwrap_or_else(|| id(key))
    }

    pub(super) fn calls(&self, keys: &[Key]) -> Vec<String> {
        keys.iter().map(|key| self.call(*key)).collect()
    }

    pub(super) fn operation(&self, key: Key) -> String {
        format!("terminal_operation:{}", self.operations.get(&key).copied().unwrap_or_default())
    }
}

/// When a turn began: with its first segment, else with the first that was seen of it.
pub(super) fn began(turn: &Turn) -> Option<At> {
    let spans = || turn.segments.iter().filter_map(|segment| segment.call.as_ref());
    let opened = spans().filter_map(|span| span.opened_at).min();
    opened.or_else(|| turn.calls().chain(spans()).filter_map(Call::seen_at).min()).or(turn.ended_at)
}

/// The threads that were seen to be started by another, and by which.
fn parents(rollout: &Rollout) -> BTreeMap<ByteString, ByteString> {
    let mut parents = BTreeMap::new();
    for edge in rollout.edges.iter().filter(|edge| edge.kind == Some(EdgeKind::Spawn)) {
        let ends = edge.from.thread().zip(edge.to.thread());
        if let Some((from, to)) = ends.filter(|(from, to)| from != to && Some(*to) != rollout.root.as_ref()) {
            parents.entry(to.clone()).or_insert_with(|| from.clone());
        }
    }
    parents
}

/// All times of a rollout in order, where some have no counter.
fn order(rollout: &Rollout) -> Vec<At> {
    let of_calls = rollout.threads.iter().flat_map(|thread| &thread.turns).flat_map(Turn::calls);
    let of_threads = rollout.threads.iter().flat_map(|thread| {
        let of_turns = thread.turns.iter().map(|turn| turn.ended_at);
        of_turns.chain(thread.terminals.iter().map(|one| one.started_at)).chain([thread.started_at, thread.ended_at])
    });
    let all = of_calls.flat_map(|call| [call.opened_at, call.closed_at]).chain(of_threads).flatten();
    let mut all: Vec<At> = all.collect();
    if all.iter().all(|at| at.seq.is_some()) {
        return Vec::new();
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// What each item was first seen in: the answer that produced it, the compaction that put it there, or a request.
fn payloads(rollout: &Rollout) -> BTreeMap<ByteString, Vec<ByteString>> {
    let of_thread = |thread: &Thread| {
        let mut payloads = vec![ByteString::new(); thread.items.len()];
        let mut put = |numbers: &Numbers, payload: Option<ByteString>| {
            let Some(payload) = payload else { return };
            for number in numbers.iter() {
                if let Some(place) = payloads.get_mut(number as usize).filter(|place| place.is_empty()) {
                    *place = payload.clone();
                }
            }
        };
        for compaction in &thread.compactions {
            put(&compaction.replacement, compaction.evidence.clone());
        }
        let mut inferences: Vec<_> = thread.turns.iter().flat_map(Turn::inferences).collect();
        inferences.sort_by_key(|one| (one.call.opened_at, one.call.key));
        for one in &inferences {
            put(&one.output.items, one.call.attrs.get(EVIDENCE_RESPONSE));
        }
        for one in &inferences {
            put(&one.input.items, one.call.attrs.get(EVIDENCE_REQUEST));
        }
        payloads
    };
    rollout.threads.iter().map(|thread| (thread.id.clone(), of_thread(thread))).collect()
}

/// Names by what has them, the first use of a name first; a later use has its number behind it.
fn each_its_own<K: Ord, G: Ord>(
    mut all: Vec<(K, String)>,
    group: impl Fn(&K) -> G,
) -> impl Iterator<Item = (K, String)> {
    all.sort_unstable();
    let mut uses: BTreeMap<(G, String), u32> = BTreeMap::new();
    all.into_iter().map(move |(key, name)| {
        let uses = uses.entry((group(&key), name.clone())).or_default();
        *uses += 1;
        let own = if *uses > 1 { format!("{name}#{uses}") } else { name };
        (key, own)
    })
}

fn of_thread(names: &BTreeMap<(ByteString, ByteString), String>, thread: &Thread, id: &ByteString) -> String {
    names.get(&(thread.id.clone(), id.clone())).cloned().unwrap_or_else(|| id.to_string())
}

fn name_of(call: &Call) -> String {
    let own = |attrs: &Attrs| attrs.get(OPERATION_ID).map(|id| id.to_string());
    match (call.key.kind, call.attrs.text(CODE_CELL_ID)) {
        (CallKind::CodeCell, Some(cell)) => format!("code_cell:{cell}"),
        _ => own(&call.attrs).unwrap_or_else(|| id(call.key)),
    }
}
