//! Bundles that grow.
//!
//! The records of a bundle are read in an order of their own, so that one that has grown is read from its beginning, every
//! [`LOOK`](super::LOOK) at most, and what was told of it is not told again. A call is told once nothing can come late of it.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::super::{Failure, input};
use super::super::files::Found;
use super::super::report::Report;
use super::{Follower, Out};
use crate::event::{Event, SpanId, TraceId, Veiled};
use crate::import::bundle::Form;
use crate::import::session::Set;
use crate::import::{LeftOut, Records, TracePer};
use crate::privacy::Policy;

/// The calls of a bundle, and in passing each of its events.
pub(in crate::cli) fn calls<'e>(
    path: &Path,
    (policy, per): (&Policy, TracePer),
    goes_on: bool,
    event: impl FnMut(&Event<Veiled>) + 'e,
) -> Result<Records<impl Iterator<Item = Event<Veiled>> + 'e>, Failure> {
    let mut bundle = input::bundle(path, policy)?;
    // What a span tells of a history is its messages.
    bundle.form(Form::Messages);
    bundle.trace_per(per);
    let mut records = Records::new(bundle.inspect(event));
    if goes_on {
        records.goes_on();
    }
    Ok(records)
}

/// What became of a bundle's calls, and what could not be told of it.
pub(in crate::cli) fn left_out(path: &Path, left_out: LeftOut) {
    let LeftOut { orphans, quarantined, unknown, let_go, .. } = left_out;
    if orphans + quarantined + unknown + let_go > 0 {
        let recording = path.display();
        tracing::warn!(
            target: "veilspan", %recording, orphans, quarantined, unknown, let_go,
            "not everything could be told as spans"
        );
    }
}

/// The file of a bundle that grows.
pub(in crate::cli) fn log(path: &Path) -> Option<Found> {
    Found::at(path.join("trace.jsonl"))
}

struct OfBundle {
    path: PathBuf,
    /// How its log was when it was read, and whether it was known then that nobody writes it any more.
    was: Option<(u64, SystemTime, bool)>,
    told: HashSet<(TraceId, SpanId)>,
    left_out: LeftOut,
    /// When the first of the calls may be told that have ended and were not, in nanoseconds since 1970.
    due: Option<u64>,
}

pub(super) struct Followed {
    set: Set,
    bundles: Vec<OfBundle>,
}

impl Followed {
    pub(super) fn new(set: &Set, paths: Vec<PathBuf>, report: &mut Report) -> Self {
        let count = paths.len() as u64;
        (report.files, report.sessions) = (report.files + count, report.sessions + count);
        let of = |path| OfBundle { path, was: None, told: HashSet::new(), left_out: LeftOut::default(), due: None };
        Self { set: set.clone(), bundles: paths.into_iter().map(of).collect() }
    }
}

impl Follower for Followed {
    fn find(&mut self, _: Found, _: &mut Report) {}

    fn read(&mut self, all: bool, now: u64, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        for bundle in self.bundles.iter_mut().filter(|_| all) {
            // Of one that somebody took away all is told that could be.
            let Some(log) = log(&bundle.path) else { continue };
            let is_over = log.is_over(now);
            let is = Some((log.bytes, log.modified, is_over));
            if is != bundle.was || bundle.due.is_some_and(|due| due <= now) {
                bundle.was = is;
                bundle.read(&self.set, is_over, now, out)?;
            }
        }
        out.wire.observed_by(None)
    }

    fn arrived(&mut self, _: u64, _: u64) {}

    fn leave(&mut self, _: u64, _: u64, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        for bundle in &self.bundles {
            out.report.open += bundle.left_out.open;
            left_out(&bundle.path, bundle.left_out);
        }
        Ok(())
    }
}

impl OfBundle {
    fn read(&mut self, set: &Set, is_over: bool, now: u64, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        self.due = None;
        let mut open = 0;
        let wire = RefCell::new(&mut *out.wire);
        let event = |event: &Event<Veiled>| wire.borrow_mut().event(event.clone());
        let mut records = calls(&self.path, (&set.policy, set.per), !is_over, event)?;
        while let Some(record) = records.next() {
            let ids = (record.opened.span.trace, record.opened.span.span);
            let due = record.closed_at.time_unix_nano.saturating_add(set.grace);
            if !is_over && due > now {
                open += 1;
                self.due = Some(self.due.map_or(due, |first| first.min(due)));
            } else if self.told.insert(ids) {
                let mut wire = wire.borrow_mut();
                // Who made the recording is known with its first record.
                wire.observed_by(records.producer())?;
                out.report.calls += 1;
                wire.call(Box::new(record))?;
            }
        }
        self.left_out = records.left_out();
        self.left_out.open += open;
        Ok(())
    }
}
