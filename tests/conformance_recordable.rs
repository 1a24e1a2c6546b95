//! Every case of a run that reduction and replay speak of can be recorded by the public recorder and survives OTLP: what is
//! read back from the bytes of the spans tells it, in any order and however often it comes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::Arc;
use std::time::Duration;

use veilspan::event::{
    CallKind, CallRecord, EdgeKind, Event, ManualClock, Mark, MarkKind, Message, Noted, Outcome, Role, Source, Veiled,
};
use veilspan::otlp::encode::Encoder;
use veilspan::otlp::{SpanView, decode};
use veilspan::record::{CallRef, Connection, Refusal, Ticket, Turn, TurnBuilder};
use veilspan::reduce::{Facts, FindingKind, Rollout};
use veilspan::semconv::{self, Attr};
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

/// A recorder on a clock that stands, and what it has told.
struct Host {
    recorder: Recorder,
    sink: Arc<MemorySink>,
    clock: Arc<ManualClock>,
}

impl Host {
    fn new() -> Self {
        Self::with(Policy::builder().unkeyed_sha256().build_in(&Default::default()).0)
    }

    fn with(policy: Policy) -> Self {
        let (sink, clock) = (Arc::new(MemorySink::default()), Arc::new(ManualClock::at(1_000_000_000)));
        let recorder = Recorder::builder().sink(sink.clone()).policy(policy).clock(clock.clone()).build();
        Self { recorder, sink, clock }
    }

    /// Turn `tu` of thread `th` in rollout `r`.
    fn turn(&self) -> TurnBuilder {
        self.recorder.turn("agent").rollout("r").thread("th").turn_id("tu")
    }

    fn seconds(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The calls as a reader of the spans' bytes has them, in the order of their ends.
    fn told(&self) -> Vec<CallRecord<Veiled>> {
        assert!(self.recorder.flush(Duration::from_secs(10)).complete);
        let encoder = Encoder::default();
        let read = |call: CallRecord<Veiled>| {
            let mut bytes = Vec::new();
            encoder.span(&call, &mut bytes);
            let read = decode::call(&SpanView::parse(&bytes).unwrap(), call.opened_at.producer).unwrap();
            assert_eq!(read, call);
            read
        };
        self.sink.calls().into_iter().map(read).collect()
    }

    fn of(&self, kind: CallKind) -> Vec<CallRecord<Veiled>> {
        self.told().into_iter().filter(|call| call.kind == kind).collect()
    }

    fn marks(&self, kind: MarkKind) -> Vec<Mark<Veiled>> {
        let marks = self.told().into_iter().flat_map(|call| call.marks).map(|marked| marked.mark);
        marks.filter(|mark| mark.kind == kind).collect()
    }

    /// The runs that follow, the same from the events in any order and more than once.
    fn runs(&self) -> Vec<Rollout> {
        let events: Vec<Event<Veiled>> =
            self.told().into_iter().flat_map(|call| call.into_events(Source::Otlp)).collect();
        let runs = reduce(events.iter());
        let serialised = |runs: &[Rollout]| runs.iter().map(Rollout::serialise).collect::<Vec<_>>();
        for other in [reduce(events.iter().rev()), reduce(events.iter().chain(&events))] {
            assert_eq!(serialised(&runs), serialised(&other));
        }
        runs
    }

    fn run(&self) -> Rollout {
        let mut runs = self.runs();
        assert_eq!(runs.len(), 1);
        runs.remove(0)
    }
}

fn reduce<'a>(events: impl Iterator<Item = &'a Event<Veiled>>) -> Vec<Rollout> {
    let mut facts = Facts::default();
    events.for_each(|event| {
        facts.absorb(event);
    });
    facts.derive()
}

fn outcomes(calls: &[CallRecord<Veiled>]) -> Vec<Option<Outcome>> {
    calls.iter().map(|call| call.closed.outcome).collect()
}

fn words(calls: &[CallRecord<Veiled>], attr: Attr<bytestring::ByteString>) -> Vec<String> {
    calls
        .iter()
        .filter_map(|call| Some(call.closed.attrs.get(attr).or(call.opened.attrs.get(attr))?.to_string()))
        .collect()
}

/// Two processes tell of the end of one turn, a second apart.
fn two_ends(first: fn(Turn), second: fn(Turn)) -> Rollout {
    let host = Host::new();
    let (one, two) = (host.turn().start(), host.turn().start());
    host.seconds(5);
    first(one);
    host.seconds(1);
    second(two);
    host.run()
}

#[test]
fn recordable_a01_a02_a03_of_two_ends_the_first_counts() {
    for (first, outcome) in
        [(Turn::cancel as fn(Turn), Outcome::Cancelled), (|turn: Turn| turn.fail("e"), Outcome::Failed)]
    {
        let run = two_ends(first, Turn::finish);
        assert_eq!(run.threads[0].turns[0].outcome, Some(outcome));
        assert!(run.findings.iter().any(|finding| finding.kind == FindingKind::Conflict));
    }
}

#[test]
fn recordable_a04_a_request_to_cancel_after_the_end_is_told_and_changes_nothing() {
    let host = Host::new();
    let turn = host.turn().start();
    let reference = turn.reference();
    turn.finish();
    host.seconds(1);
    host.recorder.request_cancel(&reference, "user");
    let cancel = &host.of(CallKind::Cancel)[0];
    assert_eq!((cancel.scope.turn.as_ref(), cancel.opened.attrs.text(semconv::CANCEL_REASON)), ("tu", Some("user")));
    assert_eq!(host.run().threads[0].turns[0].outcome, Some(Outcome::Completed));
}

#[test]
fn recordable_a06_a36_a_turn_that_waits_has_no_outcome() {
    let host = Host::new();
    host.turn().start().wait();
    host.turn().segment(1).start().wait();
    let turn = &host.run().threads[0].turns[0];
    assert_eq!((turn.outcome, turn.waiting, turn.segments.len()), (None, true, 2));
}

/// A turn that asks, waits for an hour and goes on in another trace.
fn approved(host: &Host, decide: impl FnOnce(&Turn, veilspan::record::Approval)) -> Ticket {
    let turn = host.turn().start();
    let asked = turn.tool("pay").call_id("c1").start();
    let ticket = turn.ticket("pay", 0);
    asked.wait();
    turn.wait();
    host.seconds(3600);
    let approval = host.recorder.approval_of(&ticket).call_id("c1").start();
    let turn = host.recorder.turn("agent").resume_after(&ticket).start();
    decide(&turn, approval);
    turn.finish();
    ticket
}

#[test]
fn recordable_a07_a08_a12_an_approved_call_is_one_turn_of_two_segments_and_one_wait() {
    let host = Host::new();
    approved(&host, |turn, approval| {
        approval.approved();
        let mut tool = turn.tool("pay").call_id("c1").start();
        tool.result("paid");
        tool.finish();
    });
    let waits = host.of(CallKind::Approval);
    assert_eq!(words(&waits, semconv::APPROVAL_DECISION), ["approved"]);
    assert_eq!(waits[0].closed.attrs.get(semconv::APPROVAL_WAIT_MS), Some(3_600_000));
    let tools = host.of(CallKind::Tool);
    assert_eq!(outcomes(&tools), [None, Some(Outcome::Completed)]);
    assert_eq!(words(&tools, semconv::TOOL_CALL_ID), ["c1", "c1"]);
    let turns = host.of(CallKind::Turn);
    assert_ne!(turns[0].opened.span.trace, turns[1].opened.span.trace);
    let turn = &host.run().threads[0].turns[0];
    assert_eq!((turn.outcome, turn.segments.len()), (Some(Outcome::Completed), 2));
}

#[test]
fn recordable_a09_a10_a_refused_or_forgotten_call_is_no_failure() {
    let host = Host::new();
    let ticket = approved(&host, |turn, approval| {
        approval.denied();
        turn.tool("pay").call_id("c1").start().deny();
    });
    // Whoever approves later is heard, and too late.
    host.recorder.approval_of(&ticket).start().approved();
    assert_eq!(words(&host.of(CallKind::Approval), semconv::APPROVAL_DECISION), ["denied", "approved"]);
    let tools = host.of(CallKind::Tool);
    assert_eq!(outcomes(&tools)[1], Some(Outcome::Denied));
    assert!(tools.iter().all(|tool| tool.closed.attrs.get(semconv::ERROR_KIND).is_none()));
    assert_eq!(host.run().threads[0].turns[0].outcome, Some(Outcome::Completed));

    let host = Host::new();
    let turn = host.turn().start();
    turn.approval("pay").start().cancelled();
    turn.cancel();
    assert_eq!(outcomes(&host.told()), [Some(Outcome::Cancelled); 2]);
}

#[test]
fn recordable_a13_a_second_wait_has_the_next_index_and_ends_nothing() {
    let host = Host::new();
    let turn = host.turn().start();
    for index in 0..2 {
        turn.approval("pay").index(index).start().approved();
    }
    turn.wait();
    let indices: Vec<_> =
        host.of(CallKind::Approval).iter().map(|wait| wait.opened.attrs.get(semconv::APPROVAL_INDEX)).collect();
    assert_eq!(indices, [Some(0), Some(1)]);
    assert_eq!(host.run().threads[0].turns[0].outcome, None);
}

#[test]
fn recordable_a14_a16_calls_with_equal_ids_are_calls_of_their_own() {
    let host = Host::new();
    let connection = Connection::new();
    let turns = ["one", "two"].map(|id| host.turn().turn_id(id).start());
    let ids: Vec<_> =
        turns.iter().map(|turn| connection.delegate(turn.tool("bash").call_id("synthetic-bash-0-0"), "bash")).collect();
    for (id, text) in ids.iter().zip(["1", "22"]).rev() {
        let mut call = connection.resolve(*id, "bash").unwrap();
        call.result(text);
        call.finish();
    }
    for tool in ["bash", "python"] {
        turns[0].tool(tool).call_id("synthetic-bash-0-0").start().finish();
    }
    turns.into_iter().for_each(Turn::finish);
    let run = host.run();
    let of = |turn: usize| run.threads[0].turns.iter().find(|told| &*told.id == ["one", "two"][turn]).unwrap();
    assert_eq!((of(0).tool_calls().count(), of(1).tool_calls().count()), (3, 1));
    assert_eq!(of(0).tool_calls().next().unwrap().result.length, Some(1));
    assert_eq!(of(1).tool_calls().next().unwrap().result.length, Some(2));
}

#[test]
fn recordable_a17_a18_a19_a21_results_are_taken_from_their_own_connection_alone() {
    let host = Host::new();
    let (gone, stays) = (Connection::new(), Connection::new());
    let turn = host.turn().start();
    let pending = gone.delegate(turn.tool("a"), "a");
    gone.delegate(turn.tool("b"), "b");
    let kept = stays.delegate(turn.tool("c"), "c");
    assert_eq!(stays.resolve(pending, "a").unwrap_err(), Refusal::ForeignConnection);
    assert_eq!(gone.resolve(pending, "x").unwrap_err(), Refusal::ToolMismatch);
    gone.close();
    assert_eq!(stays.resolve(pending, "a").unwrap_err(), Refusal::Unknown);
    stays.resolve(kept, "c").unwrap().finish();
    turn.finish();
    let counts = host.recorder.counts();
    assert_eq!((counts.foreign_connection, counts.tool_mismatch), (1, 1));
    let mut told = outcomes(&host.of(CallKind::Tool));
    told.sort();
    assert_eq!(told, [Some(Outcome::Completed), Some(Outcome::Disconnected), Some(Outcome::Disconnected)]);
    assert_eq!(words(&host.of(CallKind::Tool), semconv::CONNECTION_ID).len(), 3);
}

#[test]
fn recordable_a23_a_tool_that_ends_after_its_turn_is_late() {
    let host = Host::new();
    let turn = host.turn().start();
    let tool = turn.tool("slow").start();
    turn.cancel_observed("user");
    turn.cancel();
    host.seconds(2);
    tool.finish();
    assert_eq!(host.marks(MarkKind::CancelObserved).len(), 1);
    let run = host.run();
    assert_eq!((run.threads[0].turns[0].outcome, run.totals.late), (Some(Outcome::Cancelled), 1));
}

#[test]
fn recordable_a24_a_cancel_is_told_of_a_turn_that_never_ends() {
    let host = Host::new();
    let turn = host.turn().start();
    turn.request_cancel("disconnect");
    turn.inference("openai", "m").start().cancel();
    // As a process leaves its turns when it dies.
    std::mem::forget(turn);
    assert_eq!(words(&host.of(CallKind::Cancel), semconv::CANCEL_REASON), ["disconnect"]);
    assert!(host.of(CallKind::Turn).is_empty());
    assert!(!host.run().threads[0].turns[0].reported);
}

#[test]
fn recordable_a25_a26_threads_that_interleave_and_segments_that_overlap() {
    let host = Host::new();
    let (one, two) = (host.turn().start(), host.turn().thread("other").start());
    for (turn, text) in [(&one, "a"), (&two, "b"), (&one, "c")] {
        host.seconds(1);
        turn.inference("openai", "m").input(text).start().finish();
    }
    let overlapping = host.turn().turn_id("second").start();
    host.seconds(1);
    one.finish();
    overlapping.finish();
    two.finish();
    let run = host.run();
    assert_eq!(run.threads.len(), 2);
    assert!(run.findings.iter().any(|finding| finding.kind == FindingKind::Overlap));
}

#[test]
fn recordable_a28_a29_tenants_are_on_every_call_even_where_they_disagree() {
    let key = |byte| veilspan::privacy::Key::new(vec![byte; 32], None).unwrap();
    let host = Host::with(Policy::builder().key(key(1)).build_in(&Default::default()).0);
    for tenant in ["one", "two"] {
        let turn = host.turn().tenant(tenant).start();
        turn.inference("openai", "m").input("the same").start().finish();
        turn.tool("background").tenant("other").start().finish();
        turn.finish();
    }
    let inferences = host.of(CallKind::Inference);
    let digest = |call: &CallRecord<Veiled>| match &call.given {
        veilspan::event::Given::Request(request) => request.items[0].digest,
        _ => None,
    };
    assert!(digest(&inferences[0]).is_some() && digest(&inferences[0]) != digest(&inferences[1]));
    let tool = &host.of(CallKind::Tool)[0];
    assert_eq!(tool.scope.tenant.as_deref(), Some("other"));
    assert_eq!(host.runs().len(), 3);
}

#[test]
fn recordable_a30_a31_what_was_recorded_stays_and_parameters_that_were_left_out_are_absent() {
    let host = Host::new();
    let turn = host.turn().start();
    let mut history = vec![serde_json::json!({ "role": "user", "content": "first" })];
    let call = turn.inference("openai", "m").input(&history).temperature(0.2).start();
    history[0]["content"] = "changed".into();
    call.finish();
    turn.inference("openai", "m").input("first").start().finish();
    turn.finish();
    let calls = host.of(CallKind::Inference);
    let chains: Vec<_> = calls
        .iter()
        .map(|call| match &call.given {
            veilspan::event::Given::Request(request) => request.chain,
            _ => None,
        })
        .collect();
    assert!(chains[0].is_some() && chains[0] == chains[1]);
    let temperatures: Vec<_> = calls.iter().map(|call| call.opened.attrs.get(semconv::TEMPERATURE)).collect();
    assert_eq!(temperatures, [Some(0.2), None]);
}

#[test]
fn recordable_a35_an_input_that_was_turned_away_is_an_admission() {
    let host = Host::new();
    let waiting = host.recorder.admission().rollout("r").thread("th").start();
    host.seconds(3);
    host.recorder.turn("agent").admitted(&waiting.admitted()).start().finish();
    host.recorder.admission().rollout("r").thread("th").start().busy();
    let admissions = host.of(CallKind::Admission);
    assert_eq!(words(&admissions, semconv::ADMISSION), ["admitted", "busy"]);
    assert_eq!(admissions[0].closed_at.time_unix_nano - admissions[0].opened_at.time_unix_nano, 3_000_000_000);
    assert_eq!(host.of(CallKind::Turn).len(), 1);
}

#[test]
fn recordable_c01_to_c11_actions_tools_and_confidences_are_told_as_they_were_given() {
    let host = Host::new();
    let turn = host.turn().start();
    let given = [Some(0.9), Some(1.7), Some(f64::NAN), Some(f64::INFINITY), None];
    for (place, confidence) in given.into_iter().enumerate() {
        let decision = turn.decision(["A", "B"][place % 2]).alternative("C");
        let decision = confidence.into_iter().fold(decision, |decision, confidence| decision.confidence(confidence));
        decision.record();
        let tool = turn.tool(if place == 0 { "t" } else { "u" }).start();
        tool.finish();
    }
    turn.finish();
    let decisions = host.marks(MarkKind::Decision);
    let told: Vec<_> = decisions.iter().map(|mark| mark.attrs.get(semconv::DECISION_CONFIDENCE)).collect();
    let bits = |all: &[Option<f64>]| all.iter().map(|one| one.map(f64::to_bits)).collect::<Vec<_>>();
    assert_eq!(bits(&told), bits(&given));
    let digests: Vec<_> = decisions
        .iter()
        .map(|mark| match &mark.noted {
            Noted::Decision { action, alternatives } => (action.digest.unwrap(), alternatives.len()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(digests[0] == digests[2] && digests[0] != digests[1]);
    assert!(digests.iter().all(|(_, alternatives)| *alternatives == 1));
    assert_eq!(words(&host.of(CallKind::Tool), semconv::TOOL_NAME), ["t", "u", "u", "u", "u"]);
}

#[test]
fn recordable_c14_c15_c17_decisions_come_back_in_their_order_whatever_the_order_of_the_spans() {
    let host = Host::new();
    let turn = host.turn().start();
    let steps = ["a", "x", "b", "c"];
    // At one and the same time, which only the count tells apart.
    steps.iter().for_each(|step| turn.decision(*step).record());
    turn.finish();
    let call = host.told().remove(0);
    let seqs: Vec<_> = call.marks.iter().map(|marked| marked.at.seq.unwrap()).collect();
    assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(call.opened_at.seq.unwrap() < seqs[0] && seqs[3] < call.closed_at.seq.unwrap());
    let mut events: Vec<_> = call.into_events(Source::Otlp).collect();
    let expected = events.clone();
    events.reverse();
    events.sort_by_key(|event| (event.at.time_unix_nano, event.at.seq));
    assert_eq!(events, expected);
}

#[test]
fn recordable_c23_c24_c25_c28_c34_checkpoints_have_importance_time_order_and_framework() {
    let host = Host::new();
    let turn = host.turn().start();
    turn.decision("before").importance(0.5).record();
    turn.checkpoint("cp-1")
        .framework("some-framework")
        .label("l")
        .importance(0.8)
        .cut("01J=7;01K=9")
        .state("{}")
        .record();
    turn.decision("after, at the same instant").record();
    turn.importance(0.25);
    turn.finish();
    let call = host.told().remove(0);
    let [before, checkpoint, after, importance] = &call.marks[..] else { panic!("{:?}", call.marks) };
    assert!(before.at.time_unix_nano == after.at.time_unix_nano && before.at.seq < checkpoint.at.seq);
    assert!(checkpoint.at.seq < after.at.seq);
    let text = |attr| checkpoint.mark.attrs.text(attr).unwrap().to_owned();
    assert_eq!(text(semconv::CHECKPOINT_ID), "cp-1");
    assert_eq!(text(semconv::CHECKPOINT_FRAMEWORK), "some-framework");
    assert_eq!(text(semconv::CHECKPOINT_CUT), "01J=7;01K=9");
    assert!(matches!(&checkpoint.mark.noted, Noted::State(state) if state.length == Some(2)));
    let importances = [before, checkpoint, after, importance].map(|marked| marked.mark.attrs.get(semconv::IMPORTANCE));
    assert_eq!(importances, [Some(0.5), Some(0.8), None, Some(0.25)]);
}

#[test]
fn recordable_c40_c41_two_restored_runs_point_to_one_origin() {
    let host = Host::new();
    let turn = host.turn().start();
    let origin = CallRef::from_token(&turn.reference().to_token()).unwrap();
    turn.finish();
    for provenance in ["recorded", "live"] {
        host.recorder.turn("agent").replay_of(&origin, Some("cp-1"), provenance).start().finish();
    }
    let turns = host.of(CallKind::Turn);
    assert_ne!(turns[1].scope.rollout, turns[2].scope.rollout);
    for (turn, provenance) in turns[1..].iter().zip(["recorded", "live"]) {
        let text = |attr| turn.opened.attrs.text(attr);
        assert_eq!((text(semconv::REPLAY_OF), text(semconv::REPLAY_CHECKPOINT)), (Some("r"), Some("cp-1")));
        assert_eq!(text(semconv::REPLAY_PROVENANCE), Some(provenance));
        let link = turn.opened.links[0];
        assert_eq!((link.span, link.kind), (turns[0].opened.span.span, Some(EdgeKind::Replay)));
    }
}

#[test]
fn recordable_c50_digests_say_under_which_key_they_were_made() {
    let key = |byte| veilspan::privacy::Key::new(vec![byte; 32], None).unwrap();
    let told = [1, 1, 2].map(|byte| {
        let host = Host::with(Policy::builder().key(key(byte)).build_in(&Default::default()).0);
        let turn = host.turn().start();
        turn.decision("the same").record();
        turn.finish();
        let call = host.told().remove(0);
        (call.opened.policy.clone(), call.marks[0].mark.noted.clone())
    });
    assert_eq!(told[0], told[1]);
    assert!(told[0].0 != told[2].0 && told[0].1 != told[2].1);
}

#[test]
fn a_compaction_a_code_cell_and_a_terminal_come_back_as_reduction_needs_them() {
    let host = Host::new();
    let turn = host.turn().start();
    let message = |text: &str| Message::text(Role::User, text);
    turn.compaction("c1").trigger("auto").input(vec![message("dev"), message("u")]).start().finish();
    let installed = turn.compaction_installed("c1").trigger("auto").replaced(vec![message("dev"), message("u")]);
    installed.replacement(vec![message("u"), message("summary")]).record();
    let cell = turn.code_cell("cell-1").runtime_id("7").source("x").start();
    cell.yielded();
    let mut wait = turn.tool("wait").waits_for("7").start();
    wait.wait_yielded(true);
    wait.finish();
    let exec = turn.tool("exec_command").start();
    let mut begun = exec.terminal("exec_command").input("ls").start();
    begun.terminal_id("pty-1").exit_code(0);
    begun.finish();
    exec.finish();
    turn.finish();
    cell.terminate();
    let installed = host.marks(MarkKind::CompactionInstalled).remove(0);
    assert_eq!(installed.attrs.text(semconv::COMPACTION_ID), Some("c1"));
    let Noted::Histories(histories) = installed.noted else { panic!() };
    assert_eq!(histories.replaced.items[1].digest, histories.replacement.items[0].digest);
    assert_eq!(words(&host.of(CallKind::CodeCell), semconv::CODE_CELL_STATUS), ["terminated"]);
    assert_eq!(host.marks(MarkKind::Yielded).len(), 1);
    assert_eq!(words(&host.of(CallKind::Tool), semconv::WAIT_FOR), ["7"]);
    let terminal = &host.of(CallKind::Terminal)[0];
    assert_eq!(terminal.closed.attrs.text(semconv::TERMINAL_ID), Some("pty-1"));
    assert_eq!(terminal.opened.attrs.text(semconv::TERMINAL_OPERATION), Some("exec_command"));
    assert_eq!(host.run().threads[0].turns[0].outcome, Some(Outcome::Completed));
}
