//! Taking over what a process life has left: spans that wait, and calls that were open when it died.
//!
//! An open call is closed as `abandoned` only where it is certain that its own close was never sent: nothing of the log
//! that could have told of it is damaged or missing, and the machine has not been without power since, unless all was
//! synced before it counted. Of any other open call nothing is told, and it is counted.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::journal::Journal;
use super::log::{Disk, Found, Log, NO_INDEX, Options, Recovered, Settled, recover};
use super::records::{self, ENVELOPE, LOST, OPEN, SPAN};
use crate::export::envelope::Envelope;

/// Open calls of one life are kept in memory until they are closed; beyond this they are counted.
const OPEN_BYTES: usize = 64 << 20;

/// What was taken over.
#[derive(Debug)]
pub(super) struct Adopted {
    pub(super) journal: Journal,
    /// Calls that were closed as abandoned.
    pub(super) abandoned: u64,
    /// Open calls of which it cannot be known whether they were told.
    pub(super) unknown: u64,
    /// Records that are damaged or missing.
    pub(super) damaged: u64,
    /// How long the life was, from its first segment to its last record.
    pub(super) lived: Duration,
}

struct Opening {
    index: u64,
    field: Vec<u8>,
}

#[derive(Default)]
struct Survey {
    envelope: Option<Envelope>,
    open: HashMap<u128, Opening>,
    open_bytes: usize,
    unkept: u64,
    /// Spans: index and length.
    spans: Vec<(u64, usize)>,
    last_sign: u64,
    last_index: u64,
    /// A call that opened before this index may have had a close that is not there any more.
    uncertain_below: u64,
    /// The same for damage behind which nothing was found.
    uncertain_tail: u64,
}

impl Survey {
    fn visit(&mut self, found: Found<'_>, settled: &Settled) -> bool {
        match found {
            Found::Record { kind: ENVELOPE, index: NO_INDEX, payload } => {
                self.envelope = self.envelope.take().or_else(|| records::read_envelope(payload));
                false
            }
            Found::Record { kind, index, payload } => {
                self.last_index = index;
                self.record(kind, index, payload, settled)
            }
            Found::Damaged { kind, index } => {
                self.last_index = index;
                if kind != OPEN {
                    self.uncertain_below = index;
                }
                false
            }
            Found::Missing { next: Some(next) } => {
                self.uncertain_below = next;
                false
            }
            Found::Missing { next: None } => {
                self.uncertain_tail = self.last_index.saturating_add(1);
                false
            }
        }
    }

    fn record(&mut self, kind: u8, index: u64, payload: &[u8], settled: &Settled) -> bool {
        let Some(told) = records::told(payload) else { return false };
        self.last_sign = self.last_sign.max(told.unix_nanos);
        match kind {
            OPEN => {
                self.open_bytes += told.field.len();
                if self.open_bytes > OPEN_BYTES {
                    self.unkept += 1;
                } else {
                    self.open.insert(told.id, Opening { index, field: told.field.to_vec() });
                }
                false
            }
            SPAN => {
                self.closed(told.id);
                self.spans.push((index, told.field.len()));
                !settled.contains(index)
            }
            LOST => {
                self.closed(told.id);
                false
            }
            _ => false,
        }
    }

    fn closed(&mut self, id: u128) {
        if let Some(open) = self.open.remove(&id) {
            self.open_bytes = self.open_bytes.saturating_sub(open.field.len());
        }
    }
}

/// Reads what is in `disk`, and closes the calls that are open there. What that adds counts when this returns.
///
/// # Errors
///
/// The folder cannot be read, or not be written: it can be taken over another time.
pub(super) fn adopt(disk: &Arc<dyn Disk>, options: &Options, now: u64) -> io::Result<Adopted> {
    let settled = Settled::open(Arc::clone(disk), options.fsync == super::log::Fsync::Always)?;
    let mut survey = Survey::default();
    let recovered = recover(disk, options.boot, |found| survey.visit(found, &settled))?;
    let Recovered { segments, next_index, lost, is_of_this_boot, is_synced, created_unix_nano } = recovered;
    if is_of_this_boot || !is_synced {
        survey.uncertain_below = survey.uncertain_below.max(survey.uncertain_tail);
    }
    if !is_of_this_boot && !is_synced {
        survey.uncertain_below = u64::MAX;
    }
    let envelope = survey.envelope.take().unwrap_or(Envelope::Scoped { resource: Bytes::new(), scope: Bytes::new() });
    let options = Options { preamble: Some((ENVELOPE, records::envelope(&envelope))), ..options.clone() };
    let log = Log::new(Arc::clone(disk), options, segments, next_index);
    let mut journal = Journal::new(log, settled, Arc::new(envelope), true);
    for (index, length) in &survey.spans {
        journal.found(*index, *length);
    }
    let lived = Duration::from_nanos(survey.last_sign.saturating_sub(created_unix_nano.unwrap_or(survey.last_sign)));
    let mut adopted = Adopted { journal, abandoned: 0, unknown: survey.unkept, damaged: lost, lived };
    let mut open: Vec<(u128, Opening)> = survey.open.into_iter().collect();
    open.sort_by_key(|(_, opening)| opening.index);
    for (id, opening) in open {
        let is_certain = opening.index >= survey.uncertain_below;
        let span = records::ended_at(&opening.field, survey.last_sign).filter(|_| is_certain);
        match span.filter(|field| records::is_span_field(field)) {
            Some(field) if adopted.journal.close(id, survey.last_sign, &field, u64::MAX).is_ok() => {
                adopted.abandoned += 1;
            }
            _ => adopted.unknown += 1,
        }
    }
    adopted.journal.commit(now)?;
    // Nobody else writes here: what is left of the room that was kept for the rest goes back.
    adopted.journal.log.close();
    Ok(adopted)
}
