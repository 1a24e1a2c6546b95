//! A rollout as steps that can be held against another's.

mod build;
mod fields;
mod hashing;
mod siblings;
mod step;

pub use fields::{Field, Told};
pub use step::{Place, Siblings, Step, StepKind};

pub(super) use hashing::Hashing;
pub(super) use step::is_digested;

use std::sync::Arc;

use bytestring::ByteString;

use crate::reduce::{FindingKind, Reason, Rollout};

/// A rollout as steps: turns, what they did in order, and below a step what it led to.
#[derive(Clone, Debug)]
pub struct Run {
    /// Whose data it is.
    pub tenant: Option<ByteString>,
    /// Its rollout.
    pub rollout: ByteString,
    /// Whether all of it is there, and if not, why.
    pub end: RunEnd,
    /// Whether some of what it did is known to be missing: facts were dropped or set aside, or its source broke off.
    pub incomplete: bool,
    /// Its steps: the turns that no step of it started, in order.
    pub steps: Vec<Siblings>,
    /// How many steps there are, those below others included.
    pub count: u64,
    /// All that its digests were made with, each once.
    pub(super) hashings: Vec<Arc<Hashing>>,
}

/// How far a run is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// To its end.
    Ended,
    /// It may go on.
    Open,
    /// Nothing more came for too long ([`Reason::Idle`]), or memory was short ([`Reason::Evicted`]).
    CutOff(Reason),
}

impl Run {
    /// The steps of a rollout that is still being watched: it has ended where it was closed as ended.
    pub fn of(rollout: &Rollout) -> Self {
        let end = match rollout.closed {
            Some(Reason::Ended) => RunEnd::Ended,
            Some(reason) => RunEnd::CutOff(reason),
            None => RunEnd::Open,
        };
        let missing = |kind| matches!(kind, FindingKind::Truncated | FindingKind::Quarantined);
        let incomplete = rollout.findings.iter().any(|finding| missing(finding.kind));
        let (steps, count, hashings) = build::steps(rollout);
        Self { tenant: rollout.tenant.clone(), rollout: rollout.id.clone(), end, incomplete, steps, count, hashings }
    }

    /// The steps of a rollout read from a recording, to which nothing will be added: it has ended where every turn of it
    /// has.
    pub fn of_recording(rollout: &Rollout) -> Self {
        let mut run = Self::of(rollout);
        let all_ended =
            rollout.turns().all(|(_, turn)| (turn.outcome.is_some() || turn.ended_at.is_some()) && !turn.waiting);
        if run.end == RunEnd::Open && all_ended {
            run.end = RunEnd::Ended;
        }
        run
    }

    /// The step of a number, in the order in which they stand: a step, then those below it. Nothing for a number that no
    /// step has.
    pub fn step(&self, number: i64) -> Option<&Step> {
        let number = u64::try_from(number).ok().filter(|number| *number < self.count)?;
        let mut level = &self.steps;
        loop {
            // Numbers rise along a level, so the step is the last that begins at or before it, or below that one.
            let group = level.partition_point(|group| group.first_number() <= number).checked_sub(1)?;
            let group = level.get(group)?;
            let place = group.steps.partition_point(|step| step.place.number <= number).checked_sub(1)?;
            let step = group.steps.get(place)?;
            if step.place.number == number {
                return Some(step);
            }
            level = &step.below;
        }
    }

    /// Whether it may have gone on beyond what is known of it.
    pub(super) fn may_go_on(&self) -> bool {
        self.end != RunEnd::Ended || self.incomplete
    }

    /// Whether the digests of the two can be compared at all.
    pub(super) fn compares_digests(&self, other: &Self) -> bool {
        self.hashings.iter().all(|one| other.hashings.iter().all(|other| one == other))
    }
}
