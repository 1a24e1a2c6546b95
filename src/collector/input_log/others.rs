//! What another stage has left that has worked in the same folder: it becomes a part of this one's log, and is gone there
//! when it is on disk here.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;

use super::InputLog;
use super::records::{self, Entry};
use super::replay::{Input, Survey};
use crate::event::{SpanId, TraceId};
use crate::export::segment_log::{Found, Fsync, Settled, boot, recover};
use crate::export::{Claim, SpoolError};
use crate::reduce::RolloutKey;

/// Takes a log over, and answers how many of its records could not be read. A crash on the way leaves all of it there, and
/// to take the same in twice changes nothing.
pub(super) fn take_over(
    log: &mut InputLog,
    other: Claim,
    emitted: &mut HashSet<(TraceId, SpanId)>,
    now: u64,
    tell: &mut impl FnMut(Input<'_>) -> Vec<RolloutKey>,
) -> Result<u64, SpoolError> {
    let failed = SpoolError::of_a_log;
    let disk = other.disk();
    let settled = Settled::open(Arc::clone(&disk), log.fsync == Fsync::Always).map_err(failed)?;
    let survey = Survey::of(&disk, boot(), &settled).map_err(failed)?;
    for (rollout, (_, goes_on)) in &survey.next {
        tell(Input::GoesOn(rollout, *goes_on));
        log.goes_on(rollout.clone(), *goes_on);
    }
    let mut unwritten = None;
    let recovered = recover(&disk, boot(), |found| {
        let Found::Record { kind, index, payload } = found else { return false };
        // When it came in matters no more: what was due by then is due now.
        if let Some(Entry::Input { request, .. }) = records::read(kind, payload)
            && unwritten.is_none()
        {
            let is_wanted = |rollout: &RolloutKey| survey.is_wanted(rollout, index);
            let request = Bytes::copy_from_slice(request);
            let rollouts = tell(Input::Request { now, request: request.clone(), is_wanted: &is_wanted });
            if !rollouts.is_empty() {
                unwritten = log.input(now, &request, rollouts).err();
            }
        }
        false
    })
    .map_err(failed)?;
    for waiting in survey.waiting {
        if !emitted.contains(&waiting.ids) {
            log.emit(waiting.ids.0, waiting.ids.1, waiting.emission.field.to_vec());
        }
    }
    emitted.extend(survey.emitted);
    unwritten.map_or(Ok(()), Err).and_then(|()| log.commit()).and_then(|()| log.sync()).map_err(failed)?;
    for name in disk.names().map_err(failed)?.iter().filter(|name| name.ends_with(".seg")) {
        disk.remove(name).map_err(failed)?;
    }
    other.remove();
    Ok(recovered.lost)
}
