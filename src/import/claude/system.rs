//! Rows of type `system`: how turns ended, histories that were replaced, attempts that failed.

use super::agents::Agents;
use super::lane::Lane;
use super::row::Row;
use crate::event::{Attrs, CallKind, CallRecord, Closed, Mark, MarkKind, Message, Noted, Outcome, Returned, Veiled};
use crate::import::session::{Desk, Surety, moment};
use crate::semconv::{COMPACTION_ID, COMPACTION_REPLACED, COMPACTION_TRIGGER};

/// Whether the row is of a known kind.
pub(super) fn take(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, row: &Row<'_>, at: u64) -> bool {
    match row.subtype {
        "turn_duration" => lane.thread.note_end(desk, Outcome::Completed, Surety::Final, at),
        "stop_hook_summary" => lane.thread.note_end(desk, Outcome::Completed, Surety::Said, at),
        "compact_boundary" => compacted(lane, desk, agents, row, at),
        "api_error" => super::answers::failed_attempt(lane, desk, row, at),
        ""
        | "informational"
        | "local_command"
        | "microcompact_boundary"
        | "bridge_status"
        | "away_summary"
        | "memory_saved"
        | "scheduled_task_fire" => {}
        _ => return false,
    }
    true
}

/// A shorter history takes the place of the one before; it follows in the next rows.
fn compacted(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, row: &Row<'_>, at: u64) {
    lane.install(desk, None);
    let id = row.uuid.unwrap_or("compaction");
    // One that a person asks for between two turns is a turn of its own.
    let is_alone = lane.thread.turn.is_none() || lane.thread.has_said_its_end();
    if is_alone {
        let (prompt, began) = match lane.candidate.take() {
            Some(candidate) => (candidate.id, candidate.at),
            None => (format!("compaction-{id}"), at),
        };
        super::users::begin(lane, desk, agents, None, (&prompt, began));
    }
    lane.note_answer();
    lane.thread.end_answer(desk);
    lane.place_rows();
    lane.newest.forget();
    let mut attrs = Attrs::default();
    attrs.set(COMPACTION_ID, desk.label(id));
    if let Some(trigger) = row.compacted.and_then(|compacted| compacted.word("trigger")) {
        attrs.set(COMPACTION_TRIGGER, desk.label(trigger));
    }
    let start = lane.thread.turn.as_ref().map_or(at, |turn| turn.busy_until.min(at));
    lane.compaction = lane.thread.open_call(desk, (CallKind::Compaction, id), start, attrs).map(|mut record| {
        record.closed_at = moment(at);
        record
    });
    lane.thread.saw(desk, at);
    if is_alone {
        lane.thread.note_end(desk, Outcome::Completed, Surety::Said, at);
    }
}

/// Tells of the compaction, and goes on with the history that took the place of the other.
pub(super) fn install(lane: &mut Lane, desk: &mut Desk, mut record: Box<CallRecord<Veiled>>, summary: Vec<Message>) {
    let at = record.closed_at;
    let replaced = lane.thread.count();
    let histories = lane.thread.replace(summary);
    let mut attrs = Attrs::default();
    if let Some(id) = record.opened.attrs.get(COMPACTION_ID) {
        attrs.set(COMPACTION_ID, id);
    }
    attrs.set(COMPACTION_REPLACED, i64::try_from(replaced).unwrap_or(i64::MAX));
    let noted = Noted::Histories(Box::new(histories));
    record.mark(at, Mark { kind: MarkKind::CompactionInstalled, attrs, noted });
    let closed = Closed { outcome: Some(Outcome::Completed), ..Closed::default() };
    record.close(at, closed, Returned::empty(CallKind::Compaction));
    if let Some(turn) = &mut lane.thread.turn {
        turn.busy_until = turn.busy_until.max(at.time_unix_nano);
    }
    desk.call(record);
}
