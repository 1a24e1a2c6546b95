//! The graph as a tree of lines, for people; the same when piped.
//!
//! The turn of a sub-agent hangs under the tool call that started it. A turn that is nowhere reached that way (its
//! starter was not seen, the starters form a ring, or it lies deeper than a screen is wide) stands at the top.

use std::collections::{BTreeMap, BTreeSet};

use bytestring::ByteString;

use super::lines;
use crate::event::{At, Key};
use crate::reduce::graph::{Node, Rollout, Thread, Turn};

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
            let mut calls: Vec<(Option<At>, Key, Entry)> = Vec::new();
            for inference in &segment.inferences {
                let call = &inference.call;
                calls.push((call.opened_at.or(call.closed_at), call.key, Entry::leaf(lines::inference(inference))));
            }
            for tool in &segment.tool_calls {
                let started = self.started(place, Some(tool.call.key), depth);
                let entry = Entry { line: lines::tool(tool), below: started };
                calls.push((tool.call.opened_at.or(tool.call.closed_at), tool.call.key, entry));
            }
            calls.sort_by_key(|(at, key, _)| (*at, *key));
            below.extend(calls.into_iter().map(|(_, _, entry)| entry));
        }
        Some(Entry { line: lines::turn(turn), below })
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
