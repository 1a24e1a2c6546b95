//! What passed between threads and turns, and what follows from it: who started whom, and who was the first.

use std::collections::{BTreeMap, BTreeSet};

use bytestring::ByteString;
use hashbrown::HashSet;

use super::turn::Place;
use crate::event::{CallKind, EdgeKind, Key, Link, SpanId, SpanIds, TraceId};
use crate::reduce::facts::CallTold;
use crate::reduce::facts::Reading;
use crate::reduce::graph::{Edge, End, Node, Thread};

/// What a call follows from, as it tells it itself.
pub(super) struct Linked {
    node: Node,
    key: Key,
    /// Its spans: more than one where it was told of differently.
    spans: Vec<SpanIds>,
    links: Vec<Link>,
    /// The span of the agent that it runs inside of, where its own parent may be no call.
    above: Option<SpanId>,
}

/// Nothing of a call that cannot be the end of an edge.
pub(super) fn linked(place: Place<'_>, key: Key, told: &CallTold, above: Option<SpanId>) -> Option<Linked> {
    let is_child = key.kind == CallKind::Turn && told.openings.iter().any(|opening| opening.span.parent.is_some());
    let has_links = told.openings.iter().any(|opening| !opening.links.is_empty())
        || told.closings.iter().any(|closing| !closing.links.is_empty());
    if !has_links && !is_child {
        return None;
    }
    let openings = told.openings.iter().flat_map(|opening| &opening.links);
    let links = openings.chain(told.closings.iter().flat_map(|closing| &closing.links)).copied().collect();
    let spans = told.openings.iter().map(|opening| opening.span).collect();
    let above = above.filter(|_| key.kind == CallKind::Turn);
    Some(Linked { node: node(place.thread, place.turn, key), key, spans, links, above })
}

/// Links point back to what a span follows from, so an edge runs from the link's target to its carrier. A sub-agent in
/// the trace of the call that started it has no link: its parent tells the same.
pub(super) fn derive(facts: &Reading<'_>, all: Vec<Linked>, threads: &[Thread]) -> Vec<Edge> {
    let ends = all.iter().flat_map(|one| one.links.iter().map(|link| (link.trace, link.span)));
    let parents = all.iter().flat_map(|one| one.spans.iter().filter_map(|span| Some((span.trace, span.parent?))));
    let agents = all.iter().filter_map(|one| Some((one.spans.first()?.trace, one.above?)));
    let nodes = nodes(threads, &ends.chain(parents).chain(agents).collect());
    let mut edges = BTreeSet::new();
    for Linked { node, key, spans, links, above } in all {
        let Some(first) = spans.first() else { continue };
        let to = end_at(first, &node);
        edges.extend(links.iter().map(|link| from_link(link, &nodes, to.clone())));
        let by_parents = spans.iter().filter_map(|span| from_parent(span, &nodes, key, &node));
        let by_parents: Vec<Edge> = by_parents.collect();
        if by_parents.is_empty() {
            let by_agent =
                above.and_then(|above| from_parent(&SpanIds { parent: Some(above), ..*first }, &nodes, key, &node));
            edges.extend(by_agent);
        }
        edges.extend(by_parents);
    }
    edges.extend(resumption(facts, threads));
    edges.into_iter().collect()
}

fn edge(kind: Option<EdgeKind>, from: End, to: End) -> Edge {
    Edge { kind, from, to, started_at: None, ended_at: None, id: None, items: Vec::new(), evidence: Vec::new() }
}

fn end_at(span: &SpanIds, node: &Node) -> End {
    End { trace: Some(span.trace), span: Some(span.span), node: Some(node.clone()), ..End::default() }
}

fn from_link(link: &Link, nodes: &Nodes, to: End) -> Edge {
    let node = nodes.get(&(link.trace, link.span)).cloned();
    edge(link.kind, End { trace: Some(link.trace), span: Some(link.span), node, ..End::default() }, to)
}

fn from_parent(ids: &SpanIds, nodes: &Nodes, key: Key, node: &Node) -> Option<Edge> {
    let (trace, span) = (ids.trace, ids.parent?);
    let starter = nodes.get(&(trace, span)).filter(|starter| key.kind == CallKind::Turn && starts(starter, node))?;
    let from = End { trace: Some(trace), span: Some(span), node: Some(starter.clone()), ..End::default() };
    Some(edge(Some(EdgeKind::Spawn), from, end_at(ids, node)))
}

fn starts(starter: &Node, turn: &Node) -> bool {
    let by_agent_or_tool = starter.call.is_none_or(|call| call.kind == CallKind::Tool);
    by_agent_or_tool && (&starter.thread, &starter.turn) != (&turn.thread, &turn.turn)
}

/// A generation after the first goes on from the summary of the one before.
fn resumption(facts: &Reading<'_>, threads: &[Thread]) -> Option<Edge> {
    let (trace, span) = facts.resumes?;
    let turns = threads.iter().flat_map(|thread| thread.turns.iter().map(move |turn| (thread, turn)));
    let (thread, first) = turns.min_by_key(|(thread, turn)| (turn.started_unix_nano, &thread.id, &turn.id))?;
    let spans = first.segments.iter().filter_map(|segment| segment.call.as_ref()).chain(first.calls());
    let carrier = spans.filter_map(|call| call.span).next()?;
    let node = Node { thread: thread.id.clone(), turn: first.id.clone(), call: None };
    let from = End { trace: Some(trace), span: Some(span), ..End::default() };
    let to = End { trace: Some(carrier.trace), span: Some(carrier.span), node: Some(node), ..End::default() };
    Some(edge(Some(EdgeKind::Resume), from, to))
}

type Nodes = BTreeMap<(TraceId, SpanId), Node>;

/// The calls of these spans.
fn nodes(threads: &[Thread], wanted: &HashSet<(TraceId, SpanId)>) -> Nodes {
    let mut nodes = BTreeMap::new();
    if wanted.is_empty() {
        return nodes;
    }
    for thread in threads {
        for turn in &thread.turns {
            let segments = turn.segments.iter().filter_map(|segment| segment.call.as_ref());
            for call in segments.chain(turn.calls()) {
                if let Some(span) = call.span.filter(|span| wanted.contains(&(span.trace, span.span))) {
                    nodes.entry((span.trace, span.span)).or_insert_with(|| node(&thread.id, &turn.id, call.key));
                }
            }
        }
    }
    nodes
}

pub(super) fn node(thread: &ByteString, turn: &ByteString, key: Key) -> Node {
    let call = (key.kind != CallKind::Turn).then_some(key);
    Node { thread: thread.clone(), turn: turn.clone(), call }
}

/// Tells each turn what started it.
pub(super) fn hang(threads: &mut [Thread], edges: &[Edge]) {
    let mut starters: BTreeMap<(&ByteString, &ByteString), &Node> = BTreeMap::new();
    let mut of_thread: BTreeMap<&ByteString, &Node> = BTreeMap::new();
    for edge in edges.iter().filter(|edge| edge.kind == Some(EdgeKind::Spawn)) {
        match (&edge.from.node, &edge.to.node, &edge.to.thread) {
            (Some(from), Some(to), _) if starts(from, to) => {
                starters.entry((&to.thread, &to.turn)).or_insert(from);
            }
            (Some(from), None, Some(thread)) => {
                of_thread.entry(thread).or_insert(from);
            }
            _ => {}
        }
    }
    for thread in threads {
        let mut by_thread = of_thread.get(&thread.id).filter(|from| from.thread != thread.id);
        for turn in &mut thread.turns {
            let known = starters.get(&(&thread.id, &turn.id));
            // Who started a thread started its first turn.
            turn.spawned_by = known.or(by_thread.take()).map(|node| (*node).clone());
        }
    }
}

/// The thread that no other started: the first of them, where there are several.
pub(super) fn root(threads: &[Thread], edges: &[Edge]) -> Option<ByteString> {
    let mut started: BTreeSet<&ByteString> = BTreeSet::new();
    for edge in edges.iter().filter(|edge| edge.kind == Some(EdgeKind::Spawn)) {
        let to = edge.to.thread().filter(|to| edge.from.thread() != Some(*to));
        started.extend(to);
    }
    started.extend(threads.iter().filter(|thread| thread.agent.parent.is_some()).map(|thread| &thread.id));
    let first = |thread: &&Thread| {
        (started.contains(&thread.id), thread.turns.iter().filter_map(|turn| turn.started_unix_nano).min())
    };
    threads.iter().min_by_key(first).map(|thread| thread.id.clone())
}
