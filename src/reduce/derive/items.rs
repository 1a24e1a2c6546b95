//! The history of a thread: which items its models were shown and produced, each with one identity.
//!
//! What was shown before is told again with each request, by whole lists, by what was added, or by a chain digest alone.
//! An item is the same where equal content stands at the same place of the history that its thread had then, or, where it
//! moved, anywhere in it, each once. Equal content at a new place is another item. A history that is not known is never
//! guessed. A compaction puts new items into the place of all before.

use std::collections::{BTreeMap, VecDeque};

use bytestring::ByteString;
use hashbrown::HashSet;

use super::history::History;
use super::sighting::Sightings;
use crate::event::{At, Digest, Key};
use crate::reduce::facts::Reading;
use crate::reduce::graph::{Finding, Inference, Numbers, Turn, VisibleItem};

/// One thing that happened to a history.
enum Step {
    Request(usize, usize, usize),
    Response(usize, usize, usize),
    Install(usize),
}

/// A compaction that was installed, with places of the facts for its items.
pub(super) struct Install {
    pub(super) turn: ByteString,
    pub(super) key: Key,
    pub(super) at: At,
    pub(super) id: Option<ByteString>,
    pub(super) evidence: Option<ByteString>,
    pub(super) replaced: Vec<u32>,
    pub(super) replacement: Vec<u32>,
    pub(super) chain: Option<Digest>,
}

/// What an install became.
pub(super) struct Installed {
    pub(super) marker: u32,
    pub(super) replaced: Numbers,
    pub(super) replacement: Numbers,
}

/// Numbers the items of a thread. The items of its inferences, which were places of the facts, are numbers afterwards.
pub(super) fn derive<'a>(
    facts: &'a Reading<'a>,
    sightings: &mut Sightings<'a>,
    thread: &'a ByteString,
    turns: &mut [Turn],
    installs: &[Install],
    findings: &mut Vec<Finding>,
) -> (Vec<VisibleItem>, Vec<Installed>) {
    let asked = turns.iter().map(|turn| turn.inferences().count()).sum();
    let told = turns.iter().flat_map(Turn::inferences).map(|one| one.input.items.len() + one.output.items.len()).sum();
    let mut history = History::new(thread, sightings, told, asked);
    let mut steps: Vec<(At, u8, Key, Step)> = Vec::with_capacity(2 * asked + installs.len());
    for (t, turn) in turns.iter().enumerate() {
        for (s, segment) in turn.segments.iter().enumerate() {
            for (i, inference) in segment.inferences.iter().enumerate() {
                let (call, key) = (&inference.call, inference.call.key);
                steps.extend(call.opened_at.map(|at| (at, 0, key, Step::Request(t, s, i))));
                // An answer whose end was concluded is known all the same, and comes after its request whatever the clocks say.
                let answered_at = call.closed_at.max(call.opened_at).filter(|_| call.closed_at.is_some());
                steps.extend(answered_at.map(|at| (at, 1, key, Step::Response(t, s, i))));
            }
        }
    }
    for (number, install) in installs.iter().enumerate() {
        steps.push((install.at, 2, install.key, Step::Install(number)));
    }
    steps.sort_by_key(|(at, rank, key, _)| (*at, *rank, *key));

    let mut installed: Vec<Option<Installed>> = installs.iter().map(|_| None).collect();
    let mut waiting: BTreeMap<Digest, Vec<(At, Step)>> = BTreeMap::new();
    // The requests that wait.
    let mut asking: HashSet<(usize, usize, usize)> = HashSet::new();
    let mut queue: VecDeque<(At, Step)> = VecDeque::from_iter(steps.into_iter().map(|(at, _, _, step)| (at, step)));
    let mut unresolved: Vec<(At, Step)> = Vec::new();
    while let Some((at, step)) = queue.pop_front() {
        match step {
            Step::Request(t, s, i) => {
                let Some((turn, inference)) = find(turns, t, s, i) else { continue };
                let prefix = inference.input.prefix.filter(|prefix| !history.chains.contains_key(prefix));
                let will_be_shown = |prefix: &Digest| facts.shows(thread, prefix, inference.call.key);
                if let Some(prefix) = prefix.filter(will_be_shown) {
                    asking.insert((t, s, i));
                    waiting.entry(prefix).or_default().push((at, Step::Request(t, s, i)));
                    continue;
                }
                asking.remove(&(t, s, i));
                let shown = history.request(turn, inference, at, findings);
                resume(&mut waiting, &mut queue, inference.input.chain);
                inference.gap |= std::mem::take(&mut history.lost);
                inference.input.items = shown.unwrap_or_default();
            }
            Step::Response(t, s, i) => {
                let Some((turn, inference)) = find(turns, t, s, i) else { continue };
                if asking.contains(&(t, s, i))
                    && let Some(prefix) = inference.input.prefix
                    && let Some(steps) = waiting.get_mut(&prefix)
                {
                    steps.push((at, Step::Response(t, s, i)));
                    continue;
                }
                history.response(turn, inference, at, findings);
            }
            Step::Install(number) => {
                let Some(install) = installs.get(number) else { continue };
                let done = history.install(install);
                resume(&mut waiting, &mut queue, install.chain);
                if let Some(place) = installed.get_mut(number) {
                    *place = Some(done);
                }
            }
        }
        if queue.is_empty() && !waiting.is_empty() {
            // Requests that wait for one another, or for one that never opened: what they extend is not known.
            unresolved.extend(std::mem::take(&mut waiting).into_values().flatten());
            for (at, step) in unresolved.drain(..) {
                match step {
                    Step::Request(t, s, i) => {
                        if let Some((turn, inference)) = find(turns, t, s, i) {
                            let shown = history.request(turn, inference, at, findings);
                            inference.input.items = shown.unwrap_or_default();
                        }
                    }
                    Step::Response(t, s, i) => {
                        if let Some((turn, inference)) = find(turns, t, s, i) {
                            history.response(turn, inference, at, findings);
                        }
                    }
                    Step::Install(_) => {}
                }
            }
        }
    }
    (history.items, installed.into_iter().flatten().collect())
}

/// What waited for a history goes on as soon as that is shown.
fn resume(waiting: &mut BTreeMap<Digest, Vec<(At, Step)>>, queue: &mut VecDeque<(At, Step)>, chain: Option<Digest>) {
    let steps = chain.and_then(|chain| waiting.remove(&chain)).unwrap_or_default();
    steps.into_iter().rev().for_each(|step| queue.push_front(step));
}

fn find(turns: &mut [Turn], t: usize, s: usize, i: usize) -> Option<(&ByteString, &mut Inference)> {
    let Turn { id, segments, .. } = turns.get_mut(t)?;
    Some((id, segments.get_mut(s)?.inferences.get_mut(i)?))
}
