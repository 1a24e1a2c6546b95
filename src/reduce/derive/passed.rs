//! What was seen to pass from one thread to another: tasks, messages, results.
//!
//! It arrives where the receiving thread shows an item from that sender with that content; each item is what arrived of
//! one. Where none is seen, it went to the thread.

use std::collections::{BTreeMap, VecDeque};

use bytestring::ByteString;
use hashbrown::{HashMap, HashSet};

use super::link::said;
use crate::event::{At, Digest, EdgeKind, ItemKind, MarkKind, Role};
use crate::reduce::graph::{Call, CallMark, Edge, End, Node, Producer, Thread, ToolCall, Turn, VisibleItem};
use crate::semconv::{EDGE_KIND, EDGE_THREAD, EVIDENCE_INVOCATION, EVIDENCE_REF, EVIDENCE_RESULT, OPERATION_ID};

/// Something on its way.
struct Sent {
    kind: EdgeKind,
    from: Node,
    to: ByteString,
    message: Option<Digest>,
    started: At,
    ended: At,
    id: Option<ByteString>,
    evidence: Vec<ByteString>,
}

pub(super) fn derive(threads: &[Thread]) -> Vec<Edge> {
    let by_id: BTreeMap<&ByteString, &Thread> = threads.iter().map(|thread| (&thread.id, thread)).collect();
    let mut sent = Vec::new();
    for thread in threads {
        for turn in &thread.turns {
            for segment in &turn.segments {
                sent.extend(segment.tool_calls.iter().flat_map(|tool| of_tool(thread, turn, tool)));
                sent.extend(segment.call.iter().flat_map(|call| of_turn(thread, turn, call)));
            }
        }
    }
    sent.sort_by(|one, other| {
        (one.started, &one.from, one.kind, &one.to).cmp(&(other.started, &other.from, other.kind, &other.to))
    });
    if sent.is_empty() {
        return Vec::new();
    }
    let mut seen = Seen::of(threads);
    sent.into_iter().filter_map(|sent| edge(sent, &by_id, &mut seen)).collect()
}

/// What threads show of what passes between them.
struct Seen<'a> {
    /// The items of a thread from this sender that say this, in order.
    arrivals: HashMap<(&'a ByteString, &'a ByteString, Digest), VecDeque<u32>>,
    /// Those of which it is known what they are.
    arrived: HashSet<(&'a ByteString, u32)>,
    /// The last thing that the models of a thread said in a turn.
    answers: HashMap<(&'a ByteString, &'a ByteString), u32>,
}

impl<'a> Seen<'a> {
    fn of(threads: &'a [Thread]) -> Self {
        let (mut arrivals, mut answers) = (HashMap::new(), HashMap::new());
        for thread in threads {
            for (number, item) in (0u32..).zip(&thread.items) {
                let facet = item.facet.as_deref();
                if let Some([author, recipient]) = facet.and_then(|facet| facet.between.as_ref())
                    && Some(recipient) == thread.agent.path.as_ref()
                {
                    for digest in facet.into_iter().flat_map(said) {
                        let of_sender: &mut VecDeque<u32> = arrivals.entry((&thread.id, author, digest)).or_default();
                        of_sender.push_back(number);
                    }
                }
                if is_answer(item) {
                    answers.insert((&thread.id, &item.turn), number);
                }
            }
        }
        Self { arrivals, arrived: HashSet::new(), answers }
    }

    /// The first item of the receiver that is from this sender, says this, and is not what arrived of another.
    fn arrival(&mut self, message: Option<Digest>, sender: &'a Thread, receiver: &'a Thread) -> Option<u32> {
        let of_sender = self.arrivals.get_mut(&(&receiver.id, sender.agent.path.as_ref()?, message?))?;
        std::iter::from_fn(|| of_sender.pop_front()).find(|number| self.arrived.insert((&receiver.id, *number)))
    }
}

fn is_answer(item: &VisibleItem) -> bool {
    let is_message = item.facet.as_ref().is_none_or(|facet| facet.kind == ItemKind::Message && facet.between.is_none());
    let is_own = || item.produced_by.iter().any(|by| matches!(by, Producer::Inference(_)));
    is_message && item.item.role == Role::Assistant && is_own()
}

/// All that is told of one edge of one call, folded: it began with the first and had passed with the last.
fn fold(marks: &[CallMark], from: &Node) -> Vec<Sent> {
    let mut sent: BTreeMap<(EdgeKind, ByteString, Option<ByteString>), Sent> = BTreeMap::new();
    for mark in marks.iter().filter(|mark| mark.kind == MarkKind::Passed) {
        let kind = mark.attrs.text(EDGE_KIND).and_then(|word| word.parse().ok());
        let (Some(kind), Some(to)) = (kind, mark.attrs.get(EDGE_THREAD)) else { continue };
        let message = mark.content.first().and_then(|content| content.digest);
        let id = mark.attrs.get(OPERATION_ID);
        let evidence = mark.attrs.get(EVIDENCE_REF);
        let known = sent.entry((kind, to.clone(), id.clone())).or_insert_with(|| Sent {
            kind,
            from: from.clone(),
            to,
            message: None,
            started: mark.at,
            ended: mark.at,
            id,
            evidence: Vec::new(),
        });
        known.message = known.message.or(message);
        known.started = known.started.min(mark.at);
        known.ended = known.ended.max(mark.at);
        known.evidence.extend(evidence);
    }
    sent.into_values().collect()
}

fn of_tool(thread: &Thread, turn: &Turn, tool: &ToolCall) -> Vec<Sent> {
    // Mostly there is nothing to be told of.
    if tool.call.marks.is_empty() {
        return Vec::new();
    }
    let from = Node { thread: thread.id.clone(), turn: turn.id.clone(), call: Some(tool.call.key) };
    let mut sent = fold(&tool.call.marks, &from);
    for one in &mut sent {
        one.started = one.started.min(tool.runtime.began_at.unwrap_or(one.started));
        one.ended = one.ended.max(tool.runtime.ended_at.unwrap_or(one.ended));
        let attrs = &tool.call.attrs;
        let runtime = tool.runtime.evidence.iter().cloned();
        let all = attrs.get(EVIDENCE_INVOCATION).into_iter().chain(runtime).chain(attrs.get(EVIDENCE_RESULT));
        one.evidence = all.collect();
    }
    sent
}

fn of_turn(thread: &Thread, turn: &Turn, call: &Call) -> Vec<Sent> {
    let from = Node { thread: thread.id.clone(), turn: turn.id.clone(), call: None };
    fold(&call.marks, &from)
}

fn edge<'a>(sent: Sent, threads: &BTreeMap<&ByteString, &'a Thread>, seen: &mut Seen<'a>) -> Option<Edge> {
    let receiver = threads.get(&sent.to).copied();
    if sent.kind == EdgeKind::Close && receiver.is_none() {
        return None;
    }
    let sender = threads.get(&sent.from.thread).copied();
    let item = match (sender, receiver) {
        (Some(sender), Some(receiver)) if sent.kind != EdgeKind::Close => seen.arrival(sent.message, sender, receiver),
        _ => None,
    };
    let from = match sender {
        Some(sender) if sent.kind == EdgeKind::Result => answer(seen, sender, &sent.from.turn),
        _ => None,
    };
    Some(Edge {
        kind: Some(sent.kind),
        from: End { item: from, node: Some(sent.from), ..End::default() },
        to: End { thread: Some(sent.to), item, ..End::default() },
        started_at: Some(sent.started),
        ended_at: Some(sent.ended),
        id: sent.id,
        items: item.into_iter().collect(),
        evidence: sent.evidence,
    })
}

fn answer(seen: &Seen<'_>, sender: &Thread, turn: &ByteString) -> Option<u32> {
    seen.answers.get(&(&sender.id, turn)).copied()
}
