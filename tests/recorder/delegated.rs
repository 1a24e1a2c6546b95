//! Tool calls that a peer at the other end of a connection makes.

use veilspan::Recorder;
use veilspan::event::Outcome;
use veilspan::record::{Connection, Refusal};
use veilspan::semconv;

use super::common::*;

#[test]
fn results_reach_their_own_call_whatever_ids_the_provider_makes() {
    let (recorder, sink) = recorder();
    let connection = Connection::new();
    let waiting: Vec<_> = ["one", "two"]
        .map(|agent| {
            let turn = recorder.turn(agent).start();
            let tool = turn.tool("bash").call_id("synthetic-bash-0-0").arguments(format!("{{\"agent\":\"{agent}\"}}"));
            (agent, turn, connection.delegate(tool, "bash"))
        })
        .into();
    for (agent, _, id) in waiting.iter().rev() {
        let mut call = connection.resolve(*id, "bash").unwrap();
        call.result(*agent);
        call.finish();
        assert_eq!(connection.resolve(*id, "bash").unwrap_err(), Refusal::Unknown);
    }
    for (_, turn, _) in waiting {
        turn.finish();
    }
    let calls = calls(&recorder, &sink);
    let ids: Vec<_> = calls[..2].iter().map(|call| call.opened.attrs.text(semconv::TOOL_CALL_ID).unwrap()).collect();
    assert_eq!(ids, ["synthetic-bash-0-0"; 2]);
    assert_ne!(calls[0].id, calls[1].id);
    assert_eq!(calls[0].scope, calls[3].scope);
    assert_eq!(calls[1].scope, calls[2].scope);
}

#[test]
fn a_foreign_connection_and_another_tool_are_refused_and_use_up_nothing() {
    let (recorder, sink) = recorder();
    let (ours, foreign) = (Connection::new(), Connection::new());
    let id = ours.delegate(recorder.tool("bash"), "bash");
    assert_eq!(foreign.resolve(id, "bash").unwrap_err(), Refusal::ForeignConnection);
    assert_eq!(ours.resolve(id, "python").unwrap_err(), Refusal::ToolMismatch);
    let counts = recorder.counts();
    assert_eq!((counts.foreign_connection, counts.tool_mismatch), (1, 1));
    ours.resolve(id, "bash").unwrap().finish();
    let calls = calls(&recorder, &sink);
    assert_eq!((calls.len(), calls[0].closed.outcome), (1, Some(Outcome::Completed)));
    assert_eq!(calls[0].opened.attrs.text(semconv::CONNECTION_ID).unwrap().len(), 26);
}

#[test]
fn a_connection_that_closes_disconnects_what_waits_for_it_and_nothing_else() {
    let (recorder, sink) = recorder();
    let (gone, stays) = (Connection::new(), Connection::new());
    let kept = stays.delegate(recorder.tool("kept"), "kept");
    (0..2).for_each(|_| {
        gone.delegate(recorder.tool("gone"), "gone");
    });
    gone.close();
    let told = calls(&recorder, &sink);
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|call| call.closed.outcome == Some(Outcome::Disconnected)));
    stays.resolve(kept, "kept").unwrap().finish();
    assert_eq!(calls(&recorder, &sink).len(), 3);
}

#[test]
fn refusals_hold_without_a_recorder_too() {
    let connection = Connection::new();
    let id = connection.delegate(Recorder::disabled().tool("bash"), "bash");
    assert_eq!(Connection::new().resolve(id, "bash").unwrap_err(), Refusal::ForeignConnection);
    assert_eq!(connection.resolve(id, "python").unwrap_err(), Refusal::ToolMismatch);
    connection.resolve(id, "bash").unwrap().finish();
}
