//! Reading the log of a stage that is gone, and doing again what it did.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use super::keep::Keep;
use super::records::{self, Entry};
use super::{Emission, InputLog, open};
use crate::collector::config::InputLogConfig;
use crate::event::{SpanId, TraceId};
use crate::export::SpoolError;
use crate::export::segment_log::{Found, Fsync, Log, Settled, recover};
use crate::reduce::RolloutKey;

/// Something that changed the reducer.
pub(in crate::collector) enum Input<'a> {
    /// A request, and which of its rollouts are still of interest: the answer says of which it tells.
    Request { now: u64, request: Bytes, is_wanted: &'a dyn Fn(&RolloutKey) -> bool },
    /// Time.
    Tick(u64),
    /// The stage stopped in order.
    Shutdown(u64),
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
struct Survey {
    /// Of each forgotten rollout the last record that says so.
    gone: HashMap<RolloutKey, u64>,
    emitted: HashSet<(TraceId, SpanId)>,
    waiting: Vec<Emission>,
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
    let settled = Settled::open(std::sync::Arc::clone(&disk), config.fsync == Fsync::Always).map_err(failed)?;
    let mut survey = Survey::default();
    recover(&disk, options.boot, |found| {
        if let Found::Record { kind, index, payload } = found {
            survey.visit(kind, index, payload, &settled);
        }
        false
    })
    .map_err(failed)?;
    let Survey { gone, emitted, waiting } = survey;
    let mut keep = Keep::default();
    let recovered = recover(&disk, options.boot, |found| {
        let Found::Record { kind, index, payload } = found else { return false };
        match records::read(kind, payload) {
            Some(Entry::Input { now, request }) => {
                let is_wanted = |rollout: &RolloutKey| gone.get(rollout).is_none_or(|gone| *gone < index);
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
            Some(Entry::Gone(_)) | None => false,
        }
    })
    .map_err(failed)?;
    let log = Log::new(disk, options, recovered.segments, recovered.next_index);
    let mut input_log = InputLog::new(config, claim, log, settled, keep);
    input_log.waiting.extend(waiting);
    input_log.now = now;
    Ok(Replayed { log: input_log, emitted, damaged: recovered.lost })
}

impl Survey {
    fn visit(&mut self, kind: u8, index: u64, payload: &[u8], settled: &Settled) {
        match records::read(kind, payload) {
            Some(Entry::Gone(rollout)) => {
                self.gone.insert(rollout, index);
            }
            Some(Entry::Emit { trace, span, field }) => {
                self.emitted.insert((trace, span));
                if !settled.contains(index) {
                    self.waiting.push(Emission { index, field: Bytes::copy_from_slice(field) });
                }
            }
            _ => {}
        }
    }
}
