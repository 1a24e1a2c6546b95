//! A state at a cut, onto a target of the caller's.

use veilspan::event::{CallKind, EdgeKind};
use veilspan::replay::{
    GenAiHistory, GenericHistory, Kept, LangChainAgent, Recording, Restore, RestoreError, RestoreRefused, Run, State,
    Verdict, diff, restorable, restore,
};
use veilspan::semconv::{REPLAY_CHECKPOINT, REPLAY_OF, REPLAY_PROVENANCE};

use super::build::{Host, agent, digests, full};

fn state(recording: &Recording) -> State {
    restorable(recording, "cp-1").unwrap()
}

#[test]
fn a_state_is_what_the_model_was_shown_and_produced_up_to_the_cut() {
    let (_host, recording) = agent(full(), "langchain");
    let state = state(&recording);
    assert_eq!(state.kept, Kept::Whole);
    let roles: Vec<_> = state.messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "assistant"]);
    assert_eq!(state.items.len(), 4);
    assert_eq!((state.input_tokens, state.output_tokens, state.open.len()), (Some(20), Some(10), 0));
    assert_eq!((state.agent.as_deref(), state.label.as_deref()), (Some("agent"), Some("after-the-answer")));
    // What the agent itself had kept, by its digest.
    let data = state.data.as_ref().unwrap();
    assert_eq!((data.length, &state.to_json()["data"]["digest"]), (Some(10), &data.digest.unwrap().to_string().into()));
    // In the middle of a call.
    let begun = |event: &&veilspan::event::Event<veilspan::event::Veiled>| event.key.kind == CallKind::Tool;
    let at = recording.events().iter().find(begun).unwrap().at;
    let middle = restorable(&recording, &veilspan::replay::Cut::behind(at).unwrap().to_string()).unwrap();
    assert_eq!(middle.messages.len(), 2);
    assert_eq!(middle.open[0].tool.as_deref(), Some("temperature"));
    assert_eq!(middle.checkpoint, None);
}

#[test]
fn without_content_structure_and_digests_are_restored_and_the_state_says_so() {
    let (_host, recording) = agent(digests(), "langchain");
    let state = state(&recording);
    assert_eq!((state.kept, state.messages.len()), (Kept::Nothing, 0));
    let roles: Vec<_> = state.items.iter().map(|item| item.role.as_str()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "assistant"]);
    assert!(state.items.iter().all(|item| item.digest.is_some()));
    let json = state.to_json();
    assert_eq!(json["content"], "nothing");
    assert!(json.get("messages").is_none());
    assert!(!format!("{state:?}").contains("Oslo") && !json.to_string().contains("Oslo"));
}

#[test]
fn langchain_gets_messages_and_the_steps_between_them() {
    let (_host, recording) = agent(full(), "langchain");
    let mut target = LangChainAgent::default();
    let restored = restore(&recording, &state(&recording), &mut target);
    assert_eq!((restored.taken_as, restored.error), ("langchain", None));
    let kept = target.0.unwrap();
    let types: Vec<_> =
        kept.field("messages").unwrap().as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["human", "ai", "tool", "ai"]);
    let step = &kept.field("intermediate_steps").unwrap()[0];
    assert_eq!(
        (&step[0]["tool"], &step[0]["tool_input"]["city"], &step[1]),
        (&"temperature".into(), &"Oslo".into(), &"7 degrees".into(),)
    );
}

#[test]
fn genai_reads_the_history_as_its_own() {
    let (_host, recording) = agent(full(), "genai");
    let mut target = GenAiHistory::default();
    assert_eq!(restore(&recording, &state(&recording), &mut target).error, None);
    let messages: Vec<genai::chat::ChatMessage> = serde_json::from_value(target.0.into()).unwrap();
    assert_eq!(messages.len(), 4);
    assert_eq!(messages[3].content.first_text(), Some("It is 7 degrees."));
    assert_eq!(messages[1].content.tool_calls()[0].fn_name, "temperature");
}

#[test]
fn c34_an_unknown_framework_gets_the_generic_state_and_keeps_its_name() {
    let (_host, recording) = agent(full(), "crew-of-mine");
    let mut target = GenericHistory::default();
    let restored = restore(&recording, &state(&recording), &mut target);
    assert_eq!((restored.taken_as, restored.error), ("generic", None));
    let kept = target.0.unwrap();
    assert_eq!(kept.framework(), "crew-of-mine");
    assert_eq!(kept.field("data").unwrap()["messages"].as_array().unwrap().len(), 4);
}

#[derive(Clone, Debug, PartialEq)]
struct Fails {
    written: Vec<u8>,
}

impl Restore for Fails {
    const NAME: &'static str = "fails";

    fn restore(&mut self, state: &State) -> Result<(), RestoreError> {
        self.written.push(state.messages.len() as u8);
        Err(RestoreError::Refused("too late"))
    }
}

#[test]
fn c35_a_target_that_fails_half_way_is_as_it_was_before_and_the_run_is_restored() {
    let (_host, recording) = agent(full(), "langchain");
    let mut target = Fails { written: vec![1, 2, 3] };
    let restored = restore(&recording, &state(&recording), &mut target);
    assert_eq!(target, Fails { written: vec![1, 2, 3] });
    assert_eq!(restored.error, Some(RestoreError::Refused("too late")));
    assert!(!restored.rollout.is_empty() && restored.baseline.is_some());
}

#[test]
fn c40_two_runs_taken_up_from_one_checkpoint_are_two_rollouts_of_one_origin() {
    let (_host, recording) = agent(full(), "langchain");
    let before = recording.events().to_vec();
    let taken: Vec<_> =
        (0..2).map(|_| restore(&recording, &state(&recording), &mut GenericHistory::default()).rollout).collect();
    assert_ne!(taken[0], taken[1]);
    assert!(taken.iter().all(|rollout| *rollout != "r"));
    let origins: Vec<_> = (0..2).map(|_| state(&recording).origin().unwrap().to_token()).collect();
    assert_eq!(origins[0], origins[1]);
    assert_eq!(recording.events(), before);
}

#[test]
fn c41_the_spans_of_a_restored_run_name_their_origin_and_are_linked_to_it() {
    let (_host, recording) = agent(full(), "langchain");
    let state = state(&recording);
    let restored = restore(&recording, &state, &mut GenericHistory::default());
    let host = Host::with(full());
    let origin = state.origin().unwrap();
    let turn = host.recorder.turn("agent").rollout(&restored.rollout).replay_of(&origin, Some("cp-1"), "live").start();
    turn.finish();
    let call = &host.calls()[0];
    let attrs = &call.opened.attrs;
    assert_eq!(
        (attrs.text(REPLAY_OF), attrs.text(REPLAY_CHECKPOINT), attrs.text(REPLAY_PROVENANCE)),
        (Some("r"), Some("cp-1"), Some("live")),
    );
    let span = state.span.unwrap();
    let link = &call.opened.links[0];
    assert_eq!((link.trace, link.span, link.kind), (span.trace, span.span, Some(EdgeKind::Replay)));
    assert_eq!(call.scope.rollout, restored.rollout);
}

#[test]
fn c21_the_baseline_is_there_without_anything_being_told_again() {
    let (_host, recording) = agent(full(), "langchain");
    let restored = restore(&recording, &state(&recording), &mut GenericHistory::default());
    let baseline = restored.baseline.unwrap();
    let names: Vec<_> = (0..baseline.count as i64)
        .filter_map(|number| baseline.step(number)?.name())
        .map(|name| name.to_string())
        .collect();
    assert_eq!(names, ["agent", "delete"], "{baseline:#?}");
    assert_eq!(baseline.count, 4, "the turn, two decisions and the tool after the checkpoint");
    // What goes on from there is held against it.
    let host = Host::with(full());
    let turn = host.turn("next");
    turn.decision("stop").confidence(0.9).record();
    turn.decision("tidy up").confidence(0.2).record();
    let mut call = turn.tool("delete").arguments("{}").start();
    call.result("nothing to delete");
    call.finish();
    turn.finish();
    let report = diff(&baseline, &Run::of_recording(&host.recording().rollout().unwrap()));
    assert_eq!(report.verdict(), Verdict::Drift);
    assert_eq!(report.drift().map(|one| one.kind.as_str()).collect::<Vec<_>>(), ["result"]);
}

#[test]
fn c28_a_checkpoint_that_nothing_orders_is_refused() {
    let (_host, recording) = agent(full(), "langchain");
    let unordered = recording.events().iter().cloned().map(|mut event| {
        if matches!(&event.kind, veilspan::event::Kind::Marked(mark) if mark.kind == veilspan::event::MarkKind::Checkpoint) {
            event.at = veilspan::event::At { time_unix_nano: 0, producer: None, seq: None };
        }
        event
    });
    let recording = Recording::new(unordered).unwrap();
    assert_eq!(restorable(&recording, "cp-1").unwrap_err(), RestoreRefused::Unordered);
}

#[test]
fn what_names_no_place_in_the_run_is_refused() {
    let (_host, recording) = agent(full(), "langchain");
    for wrong in ["", "no such checkpoint", "-1", "2026-99-01T00:00:00Z"] {
        assert!(matches!(restorable(&recording, wrong), Err(RestoreRefused::Cut(_))), "{wrong}");
    }
    assert_eq!(restorable(&recording, "time=1").unwrap_err(), RestoreRefused::Empty);
    assert!(restorable(&recording, "turn:tu").is_ok(), "the end of a turn is a checkpoint");
}

#[test]
fn c45_the_nearest_checkpoint_is_by_the_order_of_the_run_and_of_a_call_that_is_known() {
    let host = Host::with(full());
    let turn = host.turn("tu");
    for id in ["one", "two", "three"] {
        turn.checkpoint(id).record();
        host.second();
    }
    turn.finish();
    let recording = host.recording();
    let mut events = recording.events().to_vec();
    events.reverse();
    let reversed = Recording::new(events.clone()).unwrap();
    let at = reversed.checkpoint("two").unwrap().at;
    assert_eq!(&*reversed.nearest_checkpoint(at).unwrap().id, "two");
    // A checkpoint of a call whose start nobody told is none.
    events.retain(|event| !matches!(event.kind, veilspan::event::Kind::Opened(..)));
    assert_eq!(Recording::new(events).unwrap().checkpoints(), []);
}
