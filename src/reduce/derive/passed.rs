//! What was seen to pass from one thread to another: tasks, messages, results.
//!
//! It arrives where the receiving thread shows an item from that sender with that content; each item is what arrived of
//! one. Where none is seen, it went to the thread.

use std::collections::{BTreeMap, BTreeSet};

use bytestring::ByteString;

use super::link::said;
use crate::event::{At, Digest, EdgeKind, ItemKind, MarkKind, Role};
use crate::reduce::graph::{Call, CallMark, Edge, End, Node, Producer, Thread, ToolCall, Turn};
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
    let mut arrived = BTreeSet::new();
    sent.into_iter().filter_map(|sent| edge(sent, &by_id, &mut arrived)).collect()
}

/// All that is told of one edge of one call, folded: it began with the first and had passed with the last.
fn fold<'a>(marks: impl Iterator<Item = &'a CallMark>, from: &Node) -> Vec<Sent> {
    let mut sent: BTreeMap<(EdgeKind, ByteString, Option<ByteString>), Sent> = BTreeMap::new();
    for mark in marks.filter(|mark| mark.kind == MarkKind::Passed) {
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
    let from = Node { thread: thread.id.clone(), turn: turn.id.clone(), call: Some(tool.call.key) };
    let mut sent = fold(tool.call.marks.iter(), &from);
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
    fold(call.marks.iter(), &from)
}

fn edge(
    sent: Sent,
    threads: &BTreeMap<&ByteString, &Thread>,
    arrived: &mut BTreeSet<(ByteString, u32)>,
) -> Option<Edge> {
    let receiver = threads.get(&sent.to);
    if sent.kind == EdgeKind::Close && receiver.is_none() {
        return None;
    }
    let sender = threads.get(&sent.from.thread);
    let item = match (sender, receiver) {
        (Some(sender), Some(receiver)) if sent.kind != EdgeKind::Close => arrival(&sent, sender, receiver, arrived),
        _ => None,
    };
    arrived.extend(item.map(|item| (sent.to.clone(), item)));
    let from = if sent.kind == EdgeKind::Result { answer(sender.copied(), &sent) } else { None };
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

/// The first item of the receiver that is from this sender, says this, and is not what arrived of another.
fn arrival(sent: &Sent, sender: &Thread, receiver: &Thread, arrived: &BTreeSet<(ByteString, u32)>) -> Option<u32> {
    let message = sent.message?;
    let numbered = (0u32..).zip(&receiver.items);
    let mut arrivals = numbered.filter(|(number, item)| {
        let Some(facet) = &item.facet else { return false };
        let Some([author, recipient]) = &facet.between else { return false };
        let parties = Some(author) == sender.agent.path.as_ref() && Some(recipient) == receiver.agent.path.as_ref();
        parties && said(facet).any(|digest| digest == message) && !arrived.contains(&(sent.to.clone(), *number))
    });
    arrivals.next().map(|(number, _)| number)
}

/// The last thing that the sender's models said in the turn.
fn answer(sender: Option<&Thread>, sent: &Sent) -> Option<u32> {
    let numbered = (0u32..).zip(&sender?.items);
    let answers = numbered.filter(|(_, item)| {
        let is_message =
            item.facet.as_ref().is_none_or(|facet| facet.kind == ItemKind::Message && facet.between.is_none());
        let is_own = item.produced_by.iter().any(|by| matches!(by, Producer::Inference(_)));
        is_message && is_own && item.item.role == Role::Assistant && item.turn == sent.from.turn
    });
    answers.last().map(|(number, _)| number)
}
