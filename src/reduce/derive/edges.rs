//! What passed between threads and turns, and what follows from it: who started whom, and who was the first.

use std::collections::{BTreeMap, BTreeSet};

use bytestring::ByteString;

use crate::event::{CallKind, EdgeKind, Link, SpanId, TraceId};
use crate::reduce::facts::RolloutFacts;
use crate::reduce::graph::{Edge, End, Node, Thread};

/// Links point back to what a span follows from, so an edge runs from the link's target to its carrier. A sub-agent in
/// the trace of the call that started it has no link: its parent tells the same.
pub(super) fn derive(facts: &RolloutFacts, threads: &[Thread]) -> Vec<Edge> {
    let nodes = nodes(threads);
    let mut edges = BTreeSet::new();
    for (thread, told) in &facts.threads {
        for (turn, told) in &told.turns {
            for (key, call) in &told.calls {
                let node = node(thread, turn, *key);
                for opening in call.openings.iter() {
                    let to = End { trace: opening.span.trace, span: opening.span.span, node: Some(node.clone()) };
                    for Link { trace, span, kind } in &opening.links {
                        let from = End { trace: *trace, span: *span, node: nodes.get(&(*trace, *span)).cloned() };
                        edges.insert(Edge { kind: *kind, from, to: to.clone() });
                    }
                    let parent = opening.span.parent.map(|parent| (opening.span.trace, parent));
                    if let Some((trace, span)) = parent
                        && key.kind == CallKind::Turn
                        && let Some(starter) = nodes.get(&(trace, span))
                        && starts(starter, &node)
                    {
                        let from = End { trace, span, node: Some(starter.clone()) };
                        edges.insert(Edge { kind: Some(EdgeKind::Spawn), from, to });
                    }
                }
            }
        }
    }
    edges.extend(resumption(facts, threads));
    edges.into_iter().collect()
}

fn starts(starter: &Node, turn: &Node) -> bool {
    let by_agent_or_tool = starter.call.is_none_or(|call| call.kind == CallKind::Tool);
    by_agent_or_tool && (&starter.thread, &starter.turn) != (&turn.thread, &turn.turn)
}

/// A generation after the first goes on from the summary of the one before.
fn resumption(facts: &RolloutFacts, threads: &[Thread]) -> Option<Edge> {
    let (trace, span) = facts.resumes?;
    let turns = threads.iter().flat_map(|thread| thread.turns.iter().map(move |turn| (thread, turn)));
    let (thread, first) = turns.min_by_key(|(thread, turn)| (turn.started_unix_nano, &thread.id, &turn.id))?;
    let spans = first.segments.iter().filter_map(|segment| segment.call.as_ref()).chain(first.calls());
    let carrier = spans.filter_map(|call| call.span).next()?;
    let node = Node { thread: thread.id.clone(), turn: first.id.clone(), call: None };
    Some(Edge {
        kind: Some(EdgeKind::Resume),
        from: End { trace, span, node: None },
        to: End { trace: carrier.trace, span: carrier.span, node: Some(node) },
    })
}

fn nodes(threads: &[Thread]) -> BTreeMap<(TraceId, SpanId), Node> {
    let mut nodes = BTreeMap::new();
    for thread in threads {
        for turn in &thread.turns {
            let segments = turn.segments.iter().filter_map(|segment| segment.call.as_ref());
            for call in segments.chain(turn.calls()) {
                if let Some(span) = call.span {
                    nodes.entry((span.trace, span.span)).or_insert_with(|| node(&thread.id, &turn.id, call.key));
                }
            }
        }
    }
    nodes
}

fn node(thread: &ByteString, turn: &ByteString, key: crate::event::Key) -> Node {
    let call = (key.kind != CallKind::Turn).then_some(key);
    Node { thread: thread.clone(), turn: turn.clone(), call }
}

/// Tells each turn what started it.
pub(super) fn hang(threads: &mut [Thread], edges: &[Edge]) {
    let mut starters: BTreeMap<(&ByteString, &ByteString), &Node> = BTreeMap::new();
    for edge in edges.iter().filter(|edge| edge.kind == Some(EdgeKind::Spawn)) {
        if let (Some(from), Some(to)) = (&edge.from.node, &edge.to.node)
            && starts(from, to)
        {
            starters.entry((&to.thread, &to.turn)).or_insert(from);
        }
    }
    for thread in threads {
        for turn in &mut thread.turns {
            turn.spawned_by = starters.get(&(&thread.id, &turn.id)).map(|node| (*node).clone());
        }
    }
}

/// The thread that no other started: the first of them, where there are several.
pub(super) fn root(threads: &[Thread], edges: &[Edge]) -> Option<ByteString> {
    let mut started = BTreeSet::new();
    for edge in edges.iter().filter(|edge| edge.kind == Some(EdgeKind::Spawn)) {
        let from = edge.from.node.as_ref().map(|node| &node.thread);
        if let Some(to) = edge.to.node.as_ref().map(|node| &node.thread)
            && from != Some(to)
        {
            started.insert(to);
        }
    }
    let first = |thread: &&Thread| {
        (started.contains(&thread.id), thread.turns.iter().filter_map(|turn| turn.started_unix_nano).min())
    };
    threads.iter().min_by_key(first).map(|thread| thread.id.clone())
}
