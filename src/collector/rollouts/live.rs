//! What reduction holds now.

use std::sync::Arc;

use super::Rollouts;
use crate::collector::following::Following;
use crate::reduce::{RolloutFacts, RolloutKey};

/// The most bytes of facts that are copied for one answer.
const BYTES: usize = 32 << 20;

impl Rollouts {
    /// The facts of a rollout, of its newest generation where none is asked for.
    pub(super) fn live(&self, key: &RolloutKey, generation: Option<u64>) -> Option<RolloutFacts> {
        let wanted = |facts: &&RolloutFacts| generation.is_none_or(|generation| facts.generation() == generation);
        let of = |following: &Following| following.look(|reducer| reducer.held(key).filter(wanted).last().cloned());
        self.following().find_map(|(_, following)| of(following))
    }

    /// The facts of all generations of a rollout.
    pub(super) fn live_all(&self, key: &RolloutKey) -> Vec<RolloutFacts> {
        let of = |following: &Following| following.look(|reducer| reducer.held(key).cloned().collect::<Vec<_>>());
        self.following().map(|(_, following)| of(following)).find(|facts| !facts.is_empty()).unwrap_or_default()
    }

    /// The facts of the next rollouts behind a place, and the place behind which there are more.
    pub(super) fn live_after(
        &self,
        place: Option<(usize, RolloutKey)>,
        most: usize,
    ) -> (Vec<RolloutFacts>, Option<(usize, RolloutKey)>) {
        let (first, mut after) = place.map_or((0, None), |(pipeline, key)| (pipeline, Some(key)));
        let (mut page, mut bytes): (Vec<RolloutFacts>, usize) = (Vec::new(), 0);
        for (number, following) in self.following().filter(|(number, _)| *number >= first) {
            let is_full = following.look(|reducer| {
                for facts in reducer.held_after(after.take().as_ref()) {
                    // All generations of a rollout stand on one page: a place is between rollouts.
                    let is_next = page.last().is_some_and(|last| last.key() != facts.key());
                    if is_next && (page.len() >= most || bytes >= BYTES) {
                        return true;
                    }
                    bytes = bytes.saturating_add(facts.bytes());
                    page.push(facts.clone());
                }
                false
            });
            if is_full {
                let last = page.last().map(|last| (number, last.key().clone()));
                return (page, last);
            }
            if page.len() >= most {
                // Whether the next pipeline has any is found out by whoever asks on.
                let last = page.last().map(|last| (number, last.key().clone()));
                return (page, last.filter(|_| number + 1 < self.pipelines.len()));
            }
        }
        (page, None)
    }

    fn following(&self) -> impl Iterator<Item = (usize, &Following)> {
        let pipelines = self.pipelines.iter().map(Arc::as_ref).enumerate();
        pipelines.filter_map(|(number, pipeline)| Some((number, pipeline.following.as_ref()?)))
    }
}
