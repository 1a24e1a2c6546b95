//! Every kind of call, and what is particular to each.

use std::sync::Arc;
use std::time::Duration;

use veilspan::event::{CallKind, EdgeKind, Given, ManualClock, MarkKind, Message, Outcome, Returned, Role};
use veilspan::record::{CallRef, Ticket};
use veilspan::testing::MemorySink;
use veilspan::{Recorder, semconv};

use super::common::*;

#[test]
fn every_kind_of_call_is_a_child_of_its_turn_and_tells_its_content_as_digests() {
    let (recorder, sink) = recorder();
    let turn = recorder.turn("planner").start();
    let mut workflow = turn.workflow("plan").input("in").start();
    workflow.output("out");
    workflow.finish();
    let mut embeddings = turn.embeddings("openai", "e").input("one").input("two").dimensions(256).start();
    embeddings.input_tokens(2);
    embeddings.finish();
    let mut retrieval = turn.retrieval("docs").query("find").top_k(3).start();
    retrieval.document("found");
    retrieval.finish();
    let mut memory = turn.memory("upsert_memory").store("s").record("1").input("remember").start();
    memory.record_count(1);
    memory.finish();
    let mut compaction = turn.compaction("c1").trigger("auto").model("openai", "m").input("long").start();
    compaction.output(Message::text(Role::Assistant, "short"));
    compaction.finish();
    let mut cell = turn.code_cell("cell").runtime_id("7").source("run()").start();
    cell.yielded().tool("nested").requested_by_code_cell("7").start().finish();
    cell.output("done");
    cell.finish_with::<(), std::io::Error>(&Ok(()));
    let tool = turn.tool("exec").start();
    let mut terminal = tool.terminal("exec_command").input("ls -l").start();
    terminal.terminal_id("pty-1").exit_code(2).output("no such file");
    terminal.finish();
    tool.finish();
    turn.finish();
    let calls = calls(&recorder, &sink);
    let turn = calls.last().unwrap();
    let of = |kind: CallKind| calls.iter().find(|call| call.kind == kind).unwrap();
    for kind in [
        CallKind::Workflow,
        CallKind::Embeddings,
        CallKind::Retrieval,
        CallKind::Memory,
        CallKind::Compaction,
        CallKind::CodeCell,
    ] {
        let call = of(kind);
        assert_eq!(call.opened.span.parent, Some(turn.opened.span.span), "{kind:?}");
        assert_eq!((&call.scope, call.closed.outcome), (&turn.scope, Some(Outcome::Completed)), "{kind:?}");
    }
    let lengths = |given: &Given<veilspan::event::Veiled>| match given {
        Given::Texts(texts) => texts.iter().map(|text| text.length.unwrap()).collect::<Vec<_>>(),
        _ => panic!(),
    };
    assert_eq!(lengths(&of(CallKind::Embeddings).given), [3, 3]);
    assert_eq!(lengths(&of(CallKind::Retrieval).given), [4]);
    assert_eq!(lengths(&of(CallKind::CodeCell).given), [5]);
    assert_eq!(lengths(&of(CallKind::Terminal).given), [5]);
    let Returned::Texts(found) = &of(CallKind::Retrieval).returned else { panic!() };
    assert!(found[0].digest.is_some());
    assert_eq!(of(CallKind::Memory).opened.attrs.text(semconv::OPERATION_NAME), Some("upsert_memory"));
    let cell = of(CallKind::CodeCell);
    assert_eq!(cell.marks[0].mark.kind, MarkKind::Yielded);
    assert_eq!(cell.closed.attrs.text(semconv::CODE_CELL_STATUS), Some("completed"));
    let nested = calls.iter().find(|call| call.opened.attrs.text(semconv::TOOL_NAME) == Some("nested")).unwrap();
    assert_eq!(nested.opened.span.parent, Some(cell.opened.span.span));
    assert_eq!(nested.opened.attrs.text(semconv::TOOL_REQUESTER_ID), Some("7"));
    let (terminal, tool) = (of(CallKind::Terminal), of(CallKind::Tool));
    assert_eq!(terminal.closed.attrs.get(semconv::TERMINAL_EXIT_CODE), Some(2));
    assert!(terminal.opened.span.parent.is_some() && tool.closed.outcome.is_some());
    let Given::Request(request) = &of(CallKind::Compaction).given else { panic!() };
    assert_eq!((request.prefix, request.items.len()), (None, 1));
}

#[test]
fn after_a_compaction_the_history_is_told_whole() {
    let (recorder, sink) = recorder();
    let turn = recorder.turn("planner").start();
    let ask = |texts: &[&str]| {
        let history: Vec<_> = texts.iter().map(|text| Message::text(Role::User, *text)).collect();
        turn.inference("openai", "m").input(history).start().finish();
        assert!(recorder.flush(SOON).complete);
    };
    ask(&["a"]);
    ask(&["a", "b"]);
    turn.compaction_installed("c").replacement(vec![Message::text(Role::User, "ab")]).record();
    ask(&["a", "b", "c"]);
    let prefixes: Vec<bool> = sink.calls().iter().map(|call| inference(call).0.prefix.is_some()).collect();
    assert_eq!(prefixes, [false, true, false]);
}

#[test]
fn a_turn_that_waits_for_a_person_goes_on_in_another_process() {
    let clock = Arc::new(ManualClock::at(1_000_000_000));
    let sink = Arc::new(MemorySink::default());
    let recorder = Recorder::builder().sink(sink.clone()).policy(unkeyed()).clock(clock.clone()).build();
    let turn = recorder.turn("shop").rollout("r").thread("th").start();
    let ticket = turn.ticket("pay", 0).to_token();
    turn.wait();
    assert!(recorder.flush(SOON).complete);
    clock.advance(Duration::from_secs(3600));

    let later = Recorder::builder().sink(sink.clone()).policy(unkeyed()).clock(clock).build();
    let ticket = Ticket::from_token(&ticket).unwrap();
    let mut approval = later.approval_of(&ticket).call_id("call_1").question("pay 5?").start();
    approval.comment("fine");
    approval.approved();
    let turn = later.turn("shop").resume_after(&ticket).start();
    turn.tool("pay").start().finish();
    let second = turn.reference();
    turn.wait();
    later.turn("shop").resume(&second).start().finish();

    let calls = calls(&later, &sink);
    let turns: Vec<_> = calls.iter().filter(|call| call.kind == CallKind::Turn).collect();
    assert!(turns.iter().all(|turn| turn.scope == turns[0].scope));
    let segments: Vec<_> = turns.iter().map(|turn| turn.opened.attrs.get(semconv::SEGMENT)).collect();
    assert_eq!(segments, [None, Some(1), Some(2)]);
    let outcomes: Vec<_> = turns.iter().map(|turn| turn.closed.outcome).collect();
    assert_eq!(outcomes, [None, None, Some(Outcome::Completed)]);
    let link = turns[1].opened.links[0];
    assert_eq!((link.span, link.kind), (turns[0].opened.span.span, Some(EdgeKind::Resume)));
    let approval = calls.iter().find(|call| call.kind == CallKind::Approval).unwrap();
    assert_eq!(approval.opened.span.parent, Some(turns[0].opened.span.span));
    assert_eq!(approval.opened.span.trace, turns[0].opened.span.trace);
    assert_eq!(approval.opened_at.time_unix_nano, 1_000_000_000);
    assert_eq!(approval.closed.attrs.get(semconv::APPROVAL_WAIT_MS), Some(3_600_000));
    assert_eq!(approval.closed.attrs.text(semconv::APPROVAL_DECISION), Some("approved"));
    assert!(Ticket::from_token(&CallRef::default().to_token()).is_err());
}

#[test]
fn decisions_of_people_are_outcomes_and_only_a_missed_one_is_an_error() {
    let (recorder, sink) = recorder();
    let turn = recorder.turn("shop").start();
    turn.approval("pay").index(0).start().denied();
    turn.approval("pay").index(1).start().cancelled();
    turn.approval("pay").index(2).start().expired();
    turn.finish();
    let told: Vec<_> = calls(&recorder, &sink)
        .iter()
        .filter(|call| call.kind == CallKind::Approval)
        .map(|call| {
            let decision = call.closed.attrs.text(semconv::APPROVAL_DECISION).unwrap().to_owned();
            (call.opened.attrs.get(semconv::APPROVAL_INDEX).unwrap(), decision, call.closed.outcome.unwrap().is_error())
        })
        .collect();
    let told: Vec<_> = told.iter().map(|(index, decision, error)| (*index, &**decision, *error)).collect();
    assert_eq!(told, [(0, "denied", false), (1, "cancelled", false), (2, "expired", true)]);
}

#[test]
fn an_input_that_was_admitted_is_the_turn_and_one_that_was_not_is_none() {
    let (recorder, sink) = recorder();
    let waiting = recorder.admission().rollout("r").thread("th").start();
    let admitted = waiting.admitted();
    recorder.turn("chat").admitted(&admitted).start().finish();
    recorder.admission().rollout("r").thread("th").start().busy();
    recorder.admission().rollout("r").thread("th").start().rejected();
    let calls = calls(&recorder, &sink);
    assert_eq!(calls[0].scope, calls[1].scope);
    let words: Vec<_> = calls.iter().filter_map(|call| call.closed.attrs.text(semconv::ADMISSION)).collect();
    assert_eq!(words, ["admitted", "busy", "rejected"]);
    assert_ne!(calls[2].scope.turn, calls[1].scope.turn);
}

#[test]
fn a_request_to_cancel_is_told_at_once_and_what_noticed_it_too() {
    let (recorder, sink) = recorder();
    let turn = recorder.turn("chat").start();
    turn.request_cancel("user");
    let told = calls(&recorder, &sink).remove(0);
    assert_eq!((told.kind, told.closed.outcome), (CallKind::Cancel, Some(Outcome::Completed)));
    assert_eq!(told.opened.attrs.text(semconv::CANCEL_REASON), Some("user"));
    let reference = turn.reference();
    turn.cancel_observed("user");
    turn.cancel();
    // Too late, and told all the same.
    recorder.request_cancel(&reference, "disconnect");
    let calls = calls(&recorder, &sink);
    assert_eq!(calls[1].marks[0].mark.kind, MarkKind::CancelObserved);
    assert_eq!(calls[1].closed.outcome, Some(Outcome::Cancelled));
    assert_eq!((&calls[2].scope, calls[2].opened.span.parent), (&calls[1].scope, Some(calls[1].opened.span.span)));
}

#[test]
fn edges_are_told_whenever_they_are_learned_and_replays_name_their_origin() {
    let (recorder, sink) = recorder();
    let one = recorder.turn("one").start();
    let (from, origin) = (one.reference(), one.reference());
    one.finish();
    let mut two = recorder.turn("two").follows(&from, EdgeKind::Task).start();
    two.follows(&from, EdgeKind::Message);
    two.importance(0.75);
    two.finish();
    recorder
        .turn("three")
        .replay_of(&origin, Some("cp-1"), "recorded")
        .importance(0.5)
        .caller("tests")
        .start()
        .finish();
    let calls = calls(&recorder, &sink);
    let kinds: Vec<_> = calls[1].opened.links.iter().map(|link| link.kind.unwrap()).collect();
    assert_eq!(kinds, [EdgeKind::Task, EdgeKind::Message]);
    assert!(calls[1].closed.links.is_empty());
    assert_eq!(calls[1].marks[0].mark.attrs.get(semconv::IMPORTANCE), Some(0.75));
    let replay = &calls[2];
    assert_eq!(replay.opened.attrs.text(semconv::REPLAY_OF), Some(&*calls[0].scope.rollout));
    assert_eq!(replay.opened.attrs.text(semconv::REPLAY_CHECKPOINT), Some("cp-1"));
    assert_eq!(replay.opened.attrs.text(semconv::REPLAY_PROVENANCE), Some("recorded"));
    assert_eq!(replay.opened.links[0].kind, Some(EdgeKind::Replay));
    assert_eq!(
        (replay.opened.attrs.get(semconv::IMPORTANCE), replay.opened.attrs.text(semconv::CALLER)),
        (Some(0.5), Some("tests"))
    );
}
