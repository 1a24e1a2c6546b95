//! Reading the log of a stage that is gone, and doing again what it did.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::keep::Keep;
use super::next::Next;
use super::records::{self, Entry};
use super::{Emission, InputLog, open, others};
use crate::collector::config::InputLogConfig;
use crate::event::{SpanId, TraceId};
use crate::export::SpoolError;
use crate::export::segment_log::{Disk, Found, Fsync, Log, Settled, recover};
use crate::reduce::{GoesOn, RolloutKey};

/// Something that changed the reducer.
pub(in crate::collector) enum Input<'a> {
    /// A request, and which of its rollouts are still of interest: the answer says of which it tells.
    Request { now: u64, request: Bytes, is_wanted: &'a dyn Fn(&RolloutKey) -> bool },
    /// Time.
    Tick(u64),
    /// The stage stopped in order.
    Shutdown(u64),
    /// Where a rollout goes on that was forgotten.
    GoesOn(&'a RolloutKey, GoesOn),
}

/// A log that was done again.
pub(in crate::collector) struct Replayed {
    pub(in crate::collector) log: InputLog,
    /// Spans that must not be emitted again.
    pub(in crate::collector) emitted: HashSet<(TraceId, SpanId)>,
    /// Records that could not be read.
    pub(in crate::collector) damaged: u64,
}

/// What is known of a log before it is done again.
#[derive(Default)]
pub(super) struct Survey {
    /// Of each forgotten rollout the last record that says so.
    gone: HashMap<RolloutKey, u64>,
    /// Of each rollout the last record that says where it goes on.
    pub(super) next: HashMap<RolloutKey, (u64, GoesOn)>,
    pub(super) emitted: HashSet<(TraceId, SpanId)>,
    /// What has no answer.
    pub(super) waiting: Vec<Waiting>,
}

/// A span that has no answer.
pub(super) struct Waiting {
    pub(super) ids: (TraceId, SpanId),
    pub(super) emission: Emission,
}

/// Opens the log in a folder. `tell` is given everything that changed the reducer, in order, and answers with the rollouts
/// of a request.
pub(in crate::collector) fn replay(
    config: &InputLogConfig,
    now: u64,
    mut tell: impl FnMut(Input<'_>) -> Vec<RolloutKey>,
) -> Result<Replayed, SpoolError> {
    let (claim, disk) = open(config, now)?;
    let options = InputLog::options(config);
    let failed = SpoolError::of_a_log;
    let settled = Settled::open(Arc::clone(&disk), config.fsync == Fsync::Always).map_err(failed)?;
    let survey = Survey::of(&disk, options.boot, &settled).map_err(failed)?;
    for (rollout, (_, goes_on)) in &survey.next {
        tell(Input::GoesOn(rollout, *goes_on));
    }
    let (mut keep, mut next) = (Keep::default(), Next::default());
    let recovered = recover(&disk, options.boot, |found| {
        let Found::Record { kind, index, payload } = found else { return false };
        match records::read(kind, payload) {
            Some(Entry::Input { now, request }) => {
                let is_wanted = |rollout: &RolloutKey| survey.is_wanted(rollout, index);
                let request = Bytes::copy_from_slice(request);
                let rollouts = tell(Input::Request { now, request, is_wanted: &is_wanted });
                let is_needed = !rollouts.is_empty();
                if is_needed {
                    keep.add(index, rollouts);
                }
                is_needed
            }
            Some(Entry::Tick { now }) => {
                tell(Input::Tick(now));
                false
            }
            Some(Entry::Shutdown { now }) => {
                tell(Input::Shutdown(now));
                false
            }
            Some(Entry::Emit { .. }) => !settled.contains(index),
            Some(Entry::Next(rollout, goes_on)) => {
                let is_last = survey.next.get(&rollout).is_some_and(|(last, _)| *last == index);
                if is_last {
                    // Each is the only one of its rollout here, and there were no more when they were written.
                    next.put(index, rollout, goes_on);
                }
                is_last
            }
            Some(Entry::Gone(_)) | None => false,
        }
    })
    .map_err(failed)?;
    let log = Log::new(disk, options, recovered.segments, recovered.next_index);
    let mut input_log = InputLog::new(config, claim, log, settled, keep);
    let Survey { mut emitted, waiting, .. } = survey;
    input_log.waiting.extend(waiting.into_iter().map(|waiting| waiting.emission));
    (input_log.next, input_log.now) = (next, now);
    let mut damaged = recovered.lost;
    let mut taken_over = Vec::new();
    while let Some(other) = input_log.claim.another(&taken_over)? {
        // Where a folder cannot be removed it is found again, empty.
        taken_over.push(other.name().to_owned());
        damaged += others::take_over(&mut input_log, other, &mut emitted, now, &mut tell)?;
    }
    Ok(Replayed { log: input_log, emitted, damaged })
}

impl Survey {
    /// What stands in the log on a disk.
    pub(super) fn of(disk: &Arc<dyn Disk>, boot: [u8; 16], settled: &Settled) -> io::Result<Self> {
        let mut survey = Self::default();
        recover(disk, boot, |found| {
            if let Found::Record { kind, index, payload } = found {
                survey.visit(kind, index, payload, settled);
            }
            false
        })?;
        Ok(survey)
    }

    /// Whether a record of this index tells of a rollout what is not forgotten.
    pub(super) fn is_wanted(&self, rollout: &RolloutKey, index: u64) -> bool {
        self.gone.get(rollout).is_none_or(|gone| *gone < index)
    }

    fn visit(&mut self, kind: u8, index: u64, payload: &[u8], settled: &Settled) {
        match records::read(kind, payload) {
            Some(Entry::Gone(rollout)) => {
                self.gone.insert(rollout, index);
            }
            Some(Entry::Emit { trace, span, field }) => {
                self.emitted.insert((trace, span));
                if !settled.contains(index) {
                    let emission = Emission { index, field: Bytes::copy_from_slice(field) };
                    self.waiting.push(Waiting { ids: (trace, span), emission });
                }
            }
            Some(Entry::Next(rollout, goes_on)) => {
                self.next.insert(rollout, (index, goes_on));
            }
            _ => {}
        }
    }
}
