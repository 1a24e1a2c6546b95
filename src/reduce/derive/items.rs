//! The history of a thread: which items its models were shown and produced, each with one identity.
//!
//! What was shown before is told again with each request, by whole lists, by what was added, or by a chain digest alone.
//! An item is the same where equal content stands at the same place of the history that its thread had then, or, where it
//! moved, anywhere in it, each once. Equal content at a new place is another item. A history that is not known is never
//! guessed. A compaction puts new items into the place of all before.

use std::collections::VecDeque;

use bytestring::ByteString;
use hashbrown::HashMap;

use super::history::History;
use super::sighting::Sightings;
use super::waiting::Waiting;
use crate::event::{At, Digest, Key};
use crate::reduce::facts::{Places, Reading};
use crate::reduce::graph::{Finding, Inference, Numbers, Turn, VisibleItem};

/// One thing that happened to a history: which inference was asked or has answered, or which history was installed.
#[derive(Clone, Copy)]
pub(super) enum Step {
    Request(Asked),
    Response(Asked),
    Install(u32),
}

/// An inference by its turn, its segment there, and its number in that.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Asked([u32; 3]);

impl Asked {
    /// All of them, in the order in which they stand.
    pub(super) fn all(turns: &[Turn]) -> impl Iterator<Item = (Self, &Inference)> {
        (0..).zip(turns).flat_map(|(t, turn)| {
            (0..).zip(&turn.segments).flat_map(move |(s, segment)| {
                (0..).zip(&segment.inferences).map(move |(i, inference)| (Self([t, s, i]), inference))
            })
        })
    }

    fn of(self, turns: &[Turn]) -> Option<&Inference> {
        let [turn, segment, number] = self.0;
        turns.get(turn as usize)?.segments.get(segment as usize)?.inferences.get(number as usize)
    }

    fn find(self, turns: &mut [Turn]) -> Option<(&ByteString, &mut Inference)> {
        let [turn, segment, number] = self.0;
        let Turn { id, segments, .. } = turns.get_mut(turn as usize)?;
        Some((id, segments.get_mut(segment as usize)?.inferences.get_mut(number as usize)?))
    }
}

/// When a model was asked.
pub(super) const fn asked_at(inference: &Inference) -> Option<At> {
    inference.call.opened_at
}

/// When it had answered. An answer whose end was concluded is known all the same, from when it was told, and comes after its
/// request whatever the clocks say.
fn answered_at(inference: &Inference, late: &Late) -> Option<At> {
    let call = &inference.call;
    let told = late.get(&call.key).copied().or(call.closed_at)?;
    Some(told).max(call.opened_at)
}

/// When calls that had ended with their turn were told of as ended.
pub(in crate::reduce) type Late = HashMap<Key, At>;

impl Step {
    /// What its place among the others follows from, apart from the time.
    fn order(self, turns: &[Turn], installs: &[Install], late: &Late) -> Option<(At, u8, Key)> {
        match self {
            Self::Request(asked) => asked.of(turns).and_then(|one| Some((asked_at(one)?, 0, one.call.key))),
            Self::Response(asked) => asked.of(turns).and_then(|one| Some((answered_at(one, late)?, 1, one.call.key))),
            Self::Install(number) => installs.get(number as usize).map(|install| (install.at, 2, install.key)),
        }
    }
}

/// A compaction that was installed, with places of the facts for its items.
pub(super) struct Install {
    pub(super) turn: ByteString,
    pub(super) key: Key,
    pub(super) at: At,
    pub(super) id: Option<ByteString>,
    pub(super) evidence: Option<ByteString>,
    pub(super) replaced: Places,
    pub(super) replacement: Places,
    pub(super) chain: Option<Digest>,
}

/// What an install became.
pub(super) struct Installed {
    pub(super) marker: u32,
    pub(super) replaced: Numbers,
    pub(super) replacement: Numbers,
}

/// Numbers the items of a thread. The items of its inferences, which were lists that were noted, are numbers afterwards.
pub(super) fn derive<'a>(
    facts: &'a Reading<'a>,
    sightings: &mut Sightings<'a>,
    thread: &'a ByteString,
    turns: &mut [Turn],
    (installs, late): (&[Install], &Late),
    findings: &mut Vec<Finding>,
) -> (Vec<VisibleItem>, Vec<Installed>) {
    let asked = turns.iter().map(|turn| turn.inferences().count()).sum();
    let told = |one: &Inference| usize::try_from(one.input.told).unwrap_or(usize::MAX);
    let told = turns.iter().flat_map(Turn::inferences).map(|one| told(one).saturating_add(one.output.items.len()));
    let told = told.fold(0, usize::saturating_add);
    let histories = facts.histories(thread);
    let mut history = History::new((thread, histories), sightings, told, asked);
    let mut steps: Vec<(u64, Step)> = Vec::with_capacity(2 * asked + installs.len());
    for (asked, inference) in Asked::all(turns) {
        steps.extend(asked_at(inference).map(|at| (at.time_unix_nano, Step::Request(asked))));
        steps.extend(answered_at(inference, late).map(|at| (at.time_unix_nano, Step::Response(asked))));
    }
    steps.extend((0..).zip(installs).map(|(number, install)| (install.at.time_unix_nano, Step::Install(number))));
    // The rest of the order is looked up where times are equal.
    steps.sort_by(|(time, one), (of_other, other)| {
        time.cmp(of_other).then_with(|| one.order(turns, installs, late).cmp(&other.order(turns, installs, late)))
    });

    let mut installed: Vec<Option<Installed>> = installs.iter().map(|_| None).collect();
    let mut waiting = Waiting::default();
    let mut queue: VecDeque<Step> = steps.into_iter().map(|(_, step)| step).collect();
    loop {
        if queue.is_empty() {
            queue.extend(waiting.give_up());
        }
        let Some(step) = queue.pop_front() else { break };
        match step {
            Step::Request(asked) => {
                let prefix = asked.of(turns).and_then(|inference| inference.input.prefix);
                if let Some(prefix) = prefix.filter(|prefix| !history.knows(prefix))
                    && waiting.is_worth_it(&prefix, asked, turns, installs)
                {
                    waiting.ask(prefix, asked);
                    continue;
                }
                waiting.goes_on(asked);
                let Some((turn, inference)) = asked.find(turns) else { continue };
                let shown = history.request(turn, inference, findings);
                inference.gap |= std::mem::take(&mut history.lost);
                inference.input.items = shown;
                resume(&mut waiting, &mut queue, inference.input.chain);
            }
            Step::Response(asked) => {
                let Some((turn, inference)) = asked.find(turns) else { continue };
                if !waiting.answer(inference.input.prefix, asked) {
                    let first_seen = answered_at(inference, late).map_or(0, |at| at.time_unix_nano);
                    history.response(turn, inference, first_seen, findings);
                }
            }
            Step::Install(number) => {
                let Some(install) = installs.get(number as usize) else { continue };
                let done = history.install(install);
                resume(&mut waiting, &mut queue, install.chain);
                if let Some(place) = installed.get_mut(number as usize) {
                    *place = Some(done);
                }
            }
        }
    }
    (history.items, installed.into_iter().flatten().collect())
}

/// What waited for a history goes on as soon as that is shown.
fn resume(waiting: &mut Waiting, queue: &mut VecDeque<Step>, chain: Option<Digest>) {
    let steps = chain.map(|chain| waiting.take(&chain)).unwrap_or_default();
    steps.into_iter().rev().for_each(|step| queue.push_front(step));
}
