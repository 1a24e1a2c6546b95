//! Which items ask for which tool or code cell, and which hold what it gave back.
//!
//! Providers use the ids of calls more than once: the first item that asks by an id belongs to the first call of that id,
//! and so on. An item that says the same as another one belongs where that does.

use std::collections::{BTreeMap, VecDeque};

use bytestring::ByteString;
use hashbrown::HashMap;

use crate::event::{Digest, Facet, ItemKind, ItemPart, Key};
use crate::reduce::graph::{Producer, Segment, Turn, VisibleItem};
use crate::semconv::{CODE_CELL_ID, CODE_CELL_RUNTIME_ID, TOOL_CALL_ID, TOOL_REQUESTER, WAIT_FOR};

/// The items of one call id, in the order in which they were first seen.
#[derive(Default)]
struct OfId {
    calls: Vec<u32>,
    outputs: Vec<u32>,
}

type Ids = HashMap<ByteString, OfId>;

/// Where a call stands among the turns of its thread.
#[derive(Clone, Copy)]
struct At {
    turn: usize,
    segment: usize,
    number: usize,
}

pub(super) fn derive(turns: &mut [Turn], items: &mut [VisibleItem]) {
    let ids = ids(items);
    if !ids.is_empty() {
        link_cells(turns, items, &ids);
        link_tools(turns, items, &ids);
        started(turns, items);
    }
    let mut segments = turns.iter().flat_map(|turn| &turn.segments);
    if segments.any(|segment| !segment.code_cells.is_empty() || !segment.terminal_operations.is_empty()) {
        nest(turns);
    }
}

fn ids(items: &[VisibleItem]) -> Ids {
    let mut ids = Ids::new();
    for (number, item) in (0u32..).zip(items) {
        let Some(facet) = &item.facet else { continue };
        let Some(id) = &facet.call_id else { continue };
        let of_id = ids.entry(id.clone()).or_default();
        if facet.kind.is_call() {
            of_id.calls.push(number);
        } else if facet.kind.is_output() {
            of_id.outputs.push(number);
        }
    }
    ids
}

/// The calls of each id, earliest first.
fn calls_by_id(
    turns: &[Turn],
    list: impl Fn(&Segment) -> Vec<Option<(crate::event::At, Key, ByteString)>>,
) -> BTreeMap<ByteString, Vec<At>> {
    let mut all: Vec<(crate::event::At, Key, ByteString, At)> = Vec::new();
    for (turn, of) in turns.iter().enumerate() {
        for (segment, of) in of.segments.iter().enumerate() {
            for (number, call) in list(of).into_iter().enumerate() {
                all.extend(call.map(|(at, key, id)| (at, key, id, At { turn, segment, number })));
            }
        }
    }
    all.sort_by_key(|(at, key, ..)| (*at, *key));
    let mut by_id: BTreeMap<ByteString, Vec<At>> = BTreeMap::new();
    all.into_iter().for_each(|(_, _, id, at)| by_id.entry(id).or_default().push(at));
    by_id
}

/// To which of the calls of one id each item belongs: the items that ask, then those that answer.
///
/// An item that asks belongs to the first call of its own turn that none before it asked for, else to the first of any
/// turn. An item that answers belongs where the first belongs that has no answer yet, of those that asked in the turn that
/// asked last before it. What a compaction says again belongs where that belonged before.
fn share_out(of_id: &OfId, items: &[VisibleItem], calls: &[At], turns: &[Turn]) -> [Vec<usize>; 2] {
    let OfId { calls: asking, outputs } = of_id;
    if calls.len() <= 1 {
        return [vec![0; asking.len()], vec![0; outputs.len()]];
    }
    let mut free = Free::of(calls, turns);
    let mut said = HashMap::new();
    let asked: Vec<usize> = asking
        .iter()
        .map(|number| {
            known(&mut said, items, *number, || free.take(items.get(*number as usize).map(|item| &item.turn)))
        })
        .collect();
    let mut said = HashMap::new();
    let mut unanswered: Vec<usize> = Vec::new();
    let mut before = asking.iter().zip(&asked).peekable();
    let mut next = 0;
    let answered = outputs.iter().map(|number| {
        while let Some((_, share)) = before.next_if(|(asking, _)| *asking < number) {
            unanswered.push(*share);
        }
        known(&mut said, items, *number, || {
            let turn = |share: &usize| calls.get(*share).map(|at| at.turn);
            let newest = unanswered.last().and_then(turn);
            let first = unanswered.iter().position(|share| turn(share) == newest);
            let share = first.map_or(next, |first| unanswered.remove(first)).min(calls.len() - 1);
            next = share + 1;
            share
        })
    });
    let answered = answered.collect();
    [asked, answered]
}

/// Where what a compaction says again belonged when it was said first; else what `find` says.
fn known<'a>(
    said: &mut HashMap<&'a [ItemPart], usize>,
    items: &'a [VisibleItem],
    number: u32,
    find: impl FnOnce() -> usize,
) -> usize {
    let item = items.get(number as usize);
    let parts = item.and_then(|item| item.facet.as_ref()).map(|facet| facet.parts.as_slice());
    let replaces = item.is_some_and(|item| item.produced_by.iter().any(|by| matches!(by, Producer::Compaction(_))));
    let share = parts.and_then(|parts| said.get(parts)).copied().filter(|_| replaces).unwrap_or_else(find);
    said.extend(parts.map(|parts| (parts, share)));
    share
}

/// Calls of one id that nothing has asked for yet.
struct Free<'a> {
    by_turn: HashMap<&'a ByteString, VecDeque<usize>>,
    taken: Vec<bool>,
    next: usize,
}

impl<'a> Free<'a> {
    fn of(calls: &[At], turns: &'a [Turn]) -> Self {
        let mut by_turn: HashMap<&ByteString, VecDeque<usize>> = HashMap::new();
        for (place, at) in calls.iter().enumerate() {
            if let Some(turn) = turns.get(at.turn) {
                by_turn.entry(&turn.id).or_default().push_back(place);
            }
        }
        Self { by_turn, taken: vec![false; calls.len()], next: 0 }
    }

    fn take(&mut self, turn: Option<&ByteString>) -> usize {
        let of_turn = turn.and_then(|turn| self.by_turn.get_mut(turn)).and_then(VecDeque::pop_front);
        let place = of_turn.unwrap_or_else(|| {
            while self.taken.get(self.next) == Some(&true) {
                self.next += 1;
            }
            self.next.min(self.taken.len().saturating_sub(1))
        });
        if let Some(taken) = self.taken.get_mut(place) {
            *taken = true;
        }
        place
    }
}

fn link_tools(turns: &mut [Turn], items: &mut [VisibleItem], ids: &Ids) {
    let by_id = calls_by_id(turns, |segment| {
        let id = |tool: &crate::reduce::graph::ToolCall| {
            Some((tool.call.seen_at()?, tool.call.key, tool.call.attrs.get(TOOL_CALL_ID)?))
        };
        segment.tool_calls.iter().map(id).collect()
    });
    for (id, calls) in by_id {
        let Some(of_id) = ids.get(&id) else { continue };
        let [asked, answered] = share_out(of_id, items, &calls, turns);
        for (numbers, shares, is_call) in [(&of_id.calls, asked, true), (&of_id.outputs, answered, false)] {
            for (number, share) in numbers.iter().zip(shares) {
                let Some(at) = calls.get(share) else { continue };
                let segment = turns.get_mut(at.turn).and_then(|turn| turn.segments.get_mut(at.segment));
                let Some(tool) = segment.and_then(|segment| segment.tool_calls.get_mut(at.number)) else { continue };
                if is_call {
                    tool.call_items.push(*number);
                } else {
                    tool.output_items.push(*number);
                    produced(items, *number, Producer::Tool(tool.call.key));
                }
            }
        }
    }
}

fn link_cells(turns: &mut [Turn], items: &mut [VisibleItem], ids: &Ids) {
    let by_id = calls_by_id(turns, |segment| {
        let id = |cell: &crate::reduce::graph::CodeCell| {
            Some((cell.call.seen_at()?, cell.call.key, cell.call.attrs.get(CODE_CELL_ID)?))
        };
        segment.code_cells.iter().map(id).collect()
    });
    for (id, cells) in by_id {
        let Some(of_id) = ids.get(&id) else { continue };
        let is_custom = |number: &&u32| {
            let facet = items.get(**number as usize).and_then(|item| item.facet.as_ref());
            facet.is_some_and(|facet| matches!(facet.kind, ItemKind::CustomToolCall | ItemKind::CustomToolCallOutput))
        };
        let of_id = OfId {
            calls: of_id.calls.iter().filter(is_custom).copied().collect(),
            outputs: of_id.outputs.iter().filter(is_custom).copied().collect(),
        };
        let [asked, answered] = share_out(&of_id, items, &cells, turns);
        for (numbers, shares, is_call) in [(of_id.calls, asked, true), (of_id.outputs, answered, false)] {
            for (number, share) in numbers.iter().zip(shares) {
                let Some(at) = cells.get(share) else { continue };
                let segment = turns.get_mut(at.turn).and_then(|turn| turn.segments.get_mut(at.segment));
                let Some(cell) = segment.and_then(|segment| segment.code_cells.get_mut(at.number)) else { continue };
                if is_call {
                    cell.source_item = cell.source_item.or(Some(*number));
                } else {
                    cell.output_items.push(*number);
                    produced(items, *number, Producer::CodeCell(cell.call.key));
                }
            }
        }
    }
}

fn produced(items: &mut [VisibleItem], number: u32, by: Producer) {
    if let Some(item) = items.get_mut(number as usize) {
        item.produced_by.push(by);
    }
}

/// Which tools a cell called, which waited for it, and which operation a tool holds.
fn nest(turns: &mut [Turn]) {
    // A cell is known by what its runtime calls it, in its thread; a runtime that begins anew uses its names again.
    let mut cells: BTreeMap<ByteString, Vec<(Option<crate::event::At>, At)>> = BTreeMap::new();
    let mut tools: BTreeMap<(crate::event::TraceId, crate::event::SpanId), Key> = BTreeMap::new();
    for (turn, of) in turns.iter().enumerate() {
        for (segment, of) in of.segments.iter().enumerate() {
            for (number, cell) in of.code_cells.iter().enumerate() {
                if let Some(id) = cell.call.attrs.get(CODE_CELL_RUNTIME_ID) {
                    let at = At { turn, segment, number };
                    cells.entry(id).or_default().push((cell.call.seen_at(), at));
                }
            }
            let spans = of.tool_calls.iter().filter_map(|tool| Some((tool.call.span?, tool.call.key)));
            tools.extend(spans.map(|(span, key)| ((span.trace, span.span), key)));
        }
    }
    let mut operations: BTreeMap<Key, Key> = BTreeMap::new();
    for operation in turns.iter_mut().flat_map(|turn| &mut turn.segments).flat_map(|one| &mut one.terminal_operations) {
        let parent = operation.call.span.and_then(|span| Some((span.trace, span.parent?)));
        operation.tool = parent.and_then(|parent| tools.get(&parent)).copied();
        operations.extend(operation.tool.map(|tool| (tool, operation.call.key)));
    }
    cells.values_mut().for_each(|of_name| of_name.sort_by_key(|(began, _)| *began));
    // The one that had begun last by then; one that is told of later than its tools, where there is no other.
    let cell_of = |id: &ByteString, by: Option<crate::event::At>| {
        let of_name = cells.get(id)?;
        let begun = of_name.partition_point(|(began, _)| *began <= by);
        of_name.get(begun.saturating_sub(1)).map(|(_, at)| *at)
    };
    let mut asked: Vec<(At, Key, bool)> = Vec::new();
    let mut of_tool: BTreeMap<Key, Key> = BTreeMap::new();
    let mut in_order: Vec<_> = turns.iter().flat_map(Turn::tool_calls).collect();
    in_order.sort_by_key(|tool| (tool.call.seen_at(), tool.call.key));
    for tool in in_order {
        let attrs = &tool.call.attrs;
        let by_cell = attrs.text(TOOL_REQUESTER) == Some("code_cell");
        let requester = attrs.get(CODE_CELL_RUNTIME_ID).filter(|_| by_cell);
        let seen = tool.call.seen_at();
        if let Some(at) = requester.and_then(|id| cell_of(&id, seen)) {
            asked.push((at, tool.call.key, true));
        }
        if let Some(at) = attrs.get(WAIT_FOR).and_then(|id| cell_of(&id, seen)) {
            asked.push((at, tool.call.key, false));
        }
    }
    for (at, tool, is_nested) in asked {
        let segment = turns.get_mut(at.turn).and_then(|turn| turn.segments.get_mut(at.segment));
        let Some(cell) = segment.and_then(|segment| segment.code_cells.get_mut(at.number)) else { continue };
        if is_nested {
            cell.nested.push(tool);
            of_tool.insert(tool, cell.call.key);
        } else {
            cell.waits.push(tool);
        }
    }
    for tool in turns.iter_mut().flat_map(|turn| &mut turn.segments).flat_map(|segment| &mut segment.tool_calls) {
        tool.cell = of_tool.get(&tool.call.key).copied();
        tool.terminal = operations.get(&tool.call.key).copied();
    }
}

/// Which of the tools that were seen a model's answer asked for.
fn started(turns: &mut [Turn], items: &[VisibleItem]) {
    let mut askers: HashMap<Key, Vec<Key>> = HashMap::new();
    let mut in_order: Vec<_> = turns.iter().flat_map(Turn::tool_calls).collect();
    in_order.sort_by_key(|tool| (tool.call.seen_at(), tool.call.key));
    for tool in in_order {
        let producers = tool.call_items.iter().filter_map(|number| items.get(*number as usize));
        for by in producers.flat_map(|item| &item.produced_by) {
            if let Producer::Inference(inference) = by {
                let started = askers.entry(*inference).or_default();
                if !started.contains(&tool.call.key) {
                    started.push(tool.call.key);
                }
            }
        }
    }
    for inference in turns.iter_mut().flat_map(|turn| &mut turn.segments).flat_map(|segment| &mut segment.inferences) {
        inference.started = askers.remove(&inference.call.key).unwrap_or_default();
    }
}

/// The digest of what an item says, where it is one readable part.
pub(super) fn said(facet: &Facet) -> impl Iterator<Item = Digest> {
    facet.parts.iter().filter_map(|part| part.digest)
}
