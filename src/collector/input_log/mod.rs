//! What reduction has taken in, on disk, until it has been told.
//!
//! ```text
//! request, veiled ─▶ INPUT ─▶ reducer ─▶ EMIT ─▶ exporters ─▶ settled
//! time            ─▶ TICK  ─┘        └─▶ forgotten ─▶ GONE ─▶ segments without use go
//! ```
//!
//! Promises that a stage which is killed has, when it is back, the reducer that it had: everything that changed it was
//! written before it did, in the same order and with the same time, and is done again. What it had decided to send was
//! written before it was sent, under ids that follow from the rollout: what was written is not decided again, and what was
//! answered is not sent again. Costs one write for each request that holds a call, and one for what follows from it; a
//! restart reads what open rollouts need. Holds nothing but what `privacy` has let through. Leaves to whoever sends a
//! request to send it again where it was not answered.
//!
//! Of a rollout that is forgotten no more is kept than where it goes on, so that its summaries have ids of their own after a
//! restart as before it. Logs of several stages that are gone, as two leave that have worked on one folder for a while, are
//! made one: what another has taken in is taken in, and what it had to send is sent.

mod emit;
mod keep;
mod next;
mod others;
mod records;
mod replay;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::config::InputLogConfig;
use crate::event::{SpanId, TraceId};
use crate::export::segment_log::{Disk, Log, Options, Settled, boot};
use crate::export::{Claim, Fsync};
use crate::reduce::{GoesOn, Reducer, RolloutKey};
use keep::Keep;
use next::Next;

pub(super) use emit::{emit, send_all};
pub(super) use replay::{Input, Replayed, replay};

/// How long a segment may become. A request alone may be longer.
const SEGMENT_BYTES: u64 = 8 << 20;
/// A longer request cannot be a record.
const LONGEST: usize = 48 << 20;

/// The log of one pipeline.
pub(super) struct InputLog {
    log: Log,
    settled: Settled,
    keep: Keep,
    next: Next,
    /// What was decided and has no answer yet, oldest first.
    waiting: VecDeque<Emission>,
    max_bytes: u64,
    fsync: Fsync,
    now: u64,
    failures: u64,
    claim: Claim,
}

/// A span of the stage's own that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct Emission {
    pub(super) index: u64,
    pub(super) field: Bytes,
}

impl InputLog {
    fn new(config: &InputLogConfig, claim: Claim, log: Log, settled: Settled, keep: Keep) -> Self {
        Self {
            log,
            settled,
            keep,
            next: Next::default(),
            waiting: VecDeque::new(),
            max_bytes: config.max_bytes,
            fsync: config.fsync,
            now: 0,
            failures: 0,
            claim,
        }
    }

    fn options(config: &InputLogConfig) -> Options {
        Options { segment_bytes: SEGMENT_BYTES, fsync: config.fsync, boot: boot(), preamble: None }
    }

    /// Whether there is no room for more.
    pub(super) fn is_full(&self) -> bool {
        self.log.bytes() >= self.max_bytes
    }

    pub(super) fn bytes(&self) -> u64 {
        self.log.bytes()
    }

    /// How often something could not be written.
    pub(super) const fn failures(&self) -> u64 {
        self.failures
    }

    /// Writes a request that tells of these rollouts. It counts when this returns.
    pub(super) fn input(&mut self, now: u64, request: &[u8], rollouts: Vec<RolloutKey>) -> io::Result<()> {
        if request.len() > LONGEST {
            self.failures += 1;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.now = now;
        let index = self.log.append(records::INPUT, &[&now.to_le_bytes(), request], true);
        self.keep.add(index, rollouts);
        self.commit()
    }

    /// Writes where a rollout goes on that is forgotten.
    pub(super) fn goes_on(&mut self, rollout: RolloutKey, goes_on: GoesOn) {
        let index = self.log.append(records::NEXT, &[&records::of_next(&rollout, goes_on)], true);
        for free in self.next.put(index, rollout, goes_on) {
            self.log.release(free);
        }
    }

    /// Writes that time did something, before what it did leaves.
    pub(super) fn time(&mut self, now: u64, is_shutdown: bool) {
        self.now = now;
        let kind = if is_shutdown { records::SHUTDOWN } else { records::TICK };
        self.log.append(kind, &[&now.to_le_bytes()], false);
    }

    /// Writes a span that is to leave.
    pub(super) fn emit(&mut self, trace: TraceId, span: SpanId, field: Vec<u8>) {
        let index = self.log.append(records::EMIT, &[trace.as_bytes(), span.as_bytes(), &field], true);
        self.waiting.push_back(Emission { index, field: Bytes::from(field) });
    }

    /// Makes all of it count. Where that fails nothing more is sent until it succeeds.
    pub(super) fn commit(&mut self) -> io::Result<()> {
        self.log.commit(self.now).inspect_err(|_| self.failures += 1)
    }

    /// Makes what counts survive the machine.
    fn sync(&mut self) -> io::Result<()> {
        self.log.sync()
    }

    /// The oldest of what may be sent now.
    pub(super) fn due(&self, most: usize) -> Vec<Emission> {
        // What does not count yet is not sent.
        if self.log.pending() > 0 {
            return Vec::new();
        }
        self.waiting.iter().take(most).cloned().collect()
    }

    /// These were answered.
    pub(super) fn settle(&mut self, emissions: &[Emission]) {
        let indices: Vec<u64> = emissions.iter().map(|emission| emission.index).collect();
        self.waiting.retain(|emission| !indices.contains(&emission.index));
        if self.settled.settle(&indices).is_err() {
            self.failures += 1;
        }
        indices.iter().for_each(|index| self.log.release(*index));
    }

    /// Writes anew what the oldest segment holds of forgotten rollouts, where that is all it is kept for: nothing behind it
    /// could go before it.
    fn carry_on(&mut self) {
        let mut segments = self.log.segments().iter();
        let (Some(oldest), Some(second)) = (segments.next(), segments.next()) else { return };
        let next = self.next.before(second.first_index);
        if next.is_empty() || oldest.held != next.len() as u64 {
            return;
        }
        for (rollout, goes_on) in next {
            self.goes_on(rollout, goes_on);
        }
    }

    /// Lets go of what nobody needs any more, and syncs where that is due.
    pub(super) fn tend(&mut self, now: u64, reducer: &Reducer) {
        self.now = now;
        let forgotten = self.keep.forgotten(|rollout| reducer.remembers(rollout));
        for rollout in forgotten {
            let (tenant, name) = records::of_rollout(&rollout);
            self.log.append(records::GONE, &[&tenant, &name], false);
            for index in self.keep.forget(&rollout) {
                self.log.release(index);
            }
            if let Some(goes_on) = reducer.goes_on(&rollout) {
                self.goes_on(rollout, goes_on);
            }
        }
        self.carry_on();
        // A rollout is gone when that is written: until then what it needs stays.
        let mut failed = self.commit().is_err();
        while !failed && let Some((_, next)) = self.log.removable() {
            self.settled.forget_below(next);
            failed = self.log.remove_oldest().is_err();
        }
        if self.fsync == Fsync::Interval && self.log.is_unsynced() {
            failed |= self.log.sync().is_err();
        }
        self.failures += u64::from(failed);
    }
}

fn open(config: &InputLogConfig, now: u64) -> Result<(Claim, Arc<dyn Disk>), crate::export::SpoolError> {
    let claim = Claim::new(&config.directory, now)?;
    let disk = claim.disk();
    Ok((claim, disk))
}
