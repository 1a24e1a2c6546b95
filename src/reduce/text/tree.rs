//! The graph as a tree of lines, for people; the same when piped.
//!
//! The turn of a sub-agent hangs under the tool call that started it. A turn that is nowhere reached that way (its
//! starter was not seen, the starters form a ring, or it lies deeper than a screen is wide) stands at the top.

use std::collections::{BTreeMap, BTreeSet};

use bytestring::ByteString;

use super::lines;
use crate::event::Key;
use crate::reduce::graph::{Call, Node, Rollout, Segment, Thread, Turn};

/// Deeper turns stand at the top, so that no input makes this recurse further.
const DEEPEST: usize = 24;

/// The tree of a rollout: one line for each turn, call and finding.
pub fn tree(rollout: &Rollout) -> String {
    let mut turns: Vec<Place<'_>> = rollout.turns().map(|(thread, turn)| Place { thread, turn }).collect();
    turns.sort_by_key(|place| (place.turn.started_unix_nano, &place.thread.id, &place.turn.id));
    let mut forest = Forest::default();
    for place in &turns {
        if let Some(starter) = &place.turn.spawned_by {
            forest.started_by.entry(starter).or_default().push(*place);
        }
    }
    let tops = turns.iter().filter(|place| place.turn.spawned_by.is_none());
    let mut entries: Vec<Entry> = tops.filter_map(|place| forest.turn(*place, 0)).collect();
    entries.extend(turns.iter().filter_map(|place| forest.turn(*place, 0)));
    let admissions = rollout.threads.iter().flat_map(|thread| &thread.admissions);
    entries.extend(admissions.map(|admission| Entry::leaf(lines::other(admission))));
    entries.extend(rollout.quarantine.iter().map(|one| Entry::leaf(lines::quarantined(one))));
    entries.extend(rollout.findings.iter().map(|finding| Entry::leaf(lines::finding(finding))));

    let mut text = lines::rollout(rollout);
    text.push('\n');
    draw(&entries, &mut String::new(), &mut text);
    text
}

#[derive(Clone, Copy)]
struct Place<'a> {
    thread: &'a Thread,
    turn: &'a Turn,
}

struct Entry {
    line: String,
    below: Vec<Entry>,
}

impl Entry {
    const fn leaf(line: String) -> Self {
        Self { line, below: Vec::new() }
    }
}

#[derive(Default)]
struct Forest<'a> {
    started_by: BTreeMap<&'a Node, Vec<Place<'a>>>,
    shown: BTreeSet<(&'a ByteString, &'a ByteString)>,
}

impl<'a> Forest<'a> {
    /// Nothing where the turn has been shown already.
    fn turn(&mut self, place: Place<'a>, depth: usize) -> Option<Entry> {
        let Place { thread, turn } = place;
        if depth > DEEPEST || !self.shown.insert((&thread.id, &turn.id)) {
            return None;
        }
        let mut below = self.started(place, None, depth);
        for segment in &turn.segments {
            if turn.segments.len() > 1 {
                below.push(Entry::leaf(lines::segment(segment)));
            }
            below.extend(self.segment(place, segment, depth));
        }
        let compactions = thread.compactions.iter().filter(|compaction| compaction.turn == turn.id);
        below.extend(compactions.map(|compaction| Entry::leaf(lines::compaction(compaction))));
        Some(Entry { line: lines::turn(turn), below })
    }

    /// The calls of a segment by their start; a code cell holds the tools that it called, a tool its terminal.
    fn segment(&mut self, place: Place<'a>, segment: &'a Segment, depth: usize) -> Vec<Entry> {
        let mut calls: Vec<(&Call, Entry)> = Vec::new();
        for inference in &segment.inferences {
            calls.push((&inference.call, Entry::leaf(lines::inference(inference, &place.thread.items))));
        }
        let mut of_cells: BTreeMap<Key, Vec<Entry>> = BTreeMap::new();
        let cells: BTreeSet<Key> = segment.code_cells.iter().map(|cell| cell.call.key).collect();
        let mut tools: BTreeSet<Key> = BTreeSet::new();
        let operations: BTreeMap<Key, _> = segment.terminal_operations.iter().map(|one| (one.call.key, one)).collect();
        for tool in &segment.tool_calls {
            tools.insert(tool.call.key);
            let operation = tool.terminal.and_then(|key| operations.get(&key));
            let mut below: Vec<Entry> = operation.map(|one| Entry::leaf(lines::operation(one))).into_iter().collect();
            below.extend(self.started(place, Some(tool.call.key), depth));
            let entry = Entry { line: lines::tool(tool), below };
            match tool.cell.filter(|cell| cells.contains(cell)) {
                Some(cell) => of_cells.entry(cell).or_default().push(entry),
                None => calls.push((&tool.call, entry)),
            }
        }
        for cell in &segment.code_cells {
            let below = of_cells.remove(&cell.call.key).unwrap_or_default();
            calls.push((&cell.call, Entry { line: lines::code_cell(cell), below }));
        }
        let alone = |tool: Option<Key>| tool.is_none_or(|tool| !tools.contains(&tool));
        for operation in segment.terminal_operations.iter().filter(|operation| alone(operation.tool)) {
            calls.push((&operation.call, Entry::leaf(lines::operation(operation))));
        }
        for other in segment.compactions.iter().chain(&segment.approvals).chain(&segment.others) {
            calls.push((&other.call, Entry::leaf(lines::other(other))));
        }
        calls.sort_by_key(|(call, _)| (call.opened_at.or(call.closed_at), call.key));
        calls.into_iter().map(|(_, entry)| entry).collect()
    }

    fn started(&mut self, place: Place<'a>, call: Option<Key>, depth: usize) -> Vec<Entry> {
        let node = Node { thread: place.thread.id.clone(), turn: place.turn.id.clone(), call };
        let started = self.started_by.get(&node).cloned().unwrap_or_default();
        started.into_iter().filter_map(|place| self.turn(place, depth + 1)).collect()
    }
}

fn draw(entries: &[Entry], margin: &mut String, text: &mut String) {
    for (place, entry) in entries.iter().enumerate() {
        let last = place + 1 == entries.len();
        text.push_str(margin);
        text.push_str(if last { "└─ " } else { "├─ " });
        text.push_str(&entry.line);
        text.push('\n');
        let length = margin.len();
        margin.push_str(if last { "   " } else { "│  " });
        draw(&entry.below, margin, text);
        margin.truncate(length);
    }
}
