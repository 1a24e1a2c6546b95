//! How much of what was said was kept: what stands there may read as if it were cut, and what was cut may not say so.

use veilspan::Policy;
use veilspan::event::{Message, Part, ResultContent, Role};
use veilspan::privacy::{Key, Level};
use veilspan::replay::{
    AgentState, Cassette, Effect, GenericHistory, Kept, LangChainAgent, Recording, RestoreError, StateError,
    restorable, restore,
};

use super::build::{Host, agent, digests, full};

const SECRET: &str = "ghp_016C7f7e4b2c9D8a3F5e6B1d0A9c8E7f2a4b";

/// What a text says that was cut, left out or masked, said by somebody.
const LOOKS_CUT: [&str; 6] = [
    "what does `… <truncated len=344>` mean?",
    "grep '<truncated' notes.txt… <truncated len=344>",
    "[redacted:github-token] stood there",
    "<redacted len=12>",
    "<oversize len=99>",
    r#"{"type":"truncated"}"#,
];

fn under(level: Level, key: Option<u8>, bytes: &str) -> Policy {
    let word = level.to_string();
    let variables =
        [("VEILSPAN_CONTENT_MAX", "full"), ("VEILSPAN_CONTENT", &word), ("VEILSPAN_ATTRIBUTE_BYTES", bytes)];
    let builder = Policy::builder().content(level);
    let builder = match key {
        Some(key) => builder.key(Key::new(vec![key; 32], None).unwrap()),
        None => builder.unkeyed_sha256(),
    };
    builder.build_in(&variables.into_iter().collect()).0
}

/// A run in which all of this is said: in a question, arguments, a result, an answer, and what the agent keeps of itself.
fn said(policy: Policy, text: &str) -> Recording {
    let host = Host::with(policy);
    let turn = host.turn("tu");
    let arguments = serde_json::json!({ "text": text, "spaced": [1, 2] });
    let question = || Message::text(Role::User, text.to_owned());
    let call = || Part::ToolCall {
        id: Some("call_a".into()),
        name: "look".into(),
        // Written as nobody writes it again.
        arguments: format!("{arguments:#}").into(),
    };
    let asked = || Message { role: Role::Assistant, parts: vec![call()] };
    let result = || Message {
        role: Role::User,
        parts: vec![
            Part::ToolResult { call_id: Some("call_a".into()), content: ResultContent::Text(text.into()) },
            Part::Text(text.into()),
        ],
    };
    for (history, answer) in [
        (vec![question()], asked()),
        (vec![question(), asked(), result()], Message::text(Role::Assistant, text.to_owned())),
    ] {
        let mut call = turn.inference("openai", "m").system(text).input(history).start();
        call.output(answer).finish_reason("stop");
        call.finish();
        host.second();
    }
    let mut tool = turn.tool("look").call_id("call_b").arguments("{}").start();
    tool.result(text);
    tool.finish();
    turn.checkpoint("cp").framework("mine").state(text).record();
    turn.finish();
    host.recording()
}

fn kept(recording: &Recording) -> (Kept, Kept) {
    let state = restorable(recording, "cp").unwrap();
    (state.kept, state.data_kept)
}

#[test]
fn a_text_that_reads_as_if_it_were_cut_is_whole() {
    for text in LOOKS_CUT {
        assert_eq!(kept(&said(full(), text)), (Kept::Whole, Kept::Whole), "{text}");
        // Read with another key than its own, equal lengths say so, but for what was written with other spaces.
        let keyed = under(Level::Full, Some(1), "65536");
        let recording = said(keyed.clone(), text).read_under(&keyed);
        assert_eq!(kept(&recording), (Kept::Whole, Kept::Whole), "{text}");
        let (_, data) = kept(&said(keyed.clone(), text).read_under(&under(Level::Full, Some(2), "65536")));
        assert_eq!(data, Kept::Whole, "{text}");
        for (policy, recording) in [(full(), said(full(), text)), (keyed, recording)] {
            let cassette = Cassette::new(&recording, &policy);
            assert_eq!((cassette.len(), cassette.without_content), (2, 0), "{text}");
            assert_eq!(cassette.tool("look", "{}", Effect::SideEffect, None).unwrap().result, text);
        }
    }
}

#[test]
fn what_detectors_let_pass_is_whole_and_what_they_masked_is_not() {
    for key in [None, Some(1)] {
        let policy = under(Level::Masked, key, "65536");
        let whole = |text: &str| said(policy.clone(), text).read_under(&policy);
        for text in LOOKS_CUT {
            assert_eq!(kept(&whole(text)), (Kept::Whole, Kept::Whole), "{text}");
        }
        let masked = whole(&format!("the token is {SECRET}"));
        assert_eq!(kept(&masked), (Kept::Part, Kept::Part));
        let cassette = Cassette::new(&masked, &policy);
        assert_eq!((cassette.len(), cassette.without_content), (0, 2));
        assert!(cassette.tool("look", "{}", Effect::SideEffect, None).is_err());
    }
    // Without the key nothing proves that a detector has written nothing.
    let policy = under(Level::Masked, Some(1), "65536");
    assert_eq!(kept(&said(policy, LOOKS_CUT[2])), (Kept::Part, Kept::Part));
}

#[test]
fn what_was_cut_is_not_whole_whatever_it_says() {
    for key in [None, Some(1)] {
        let policy = under(Level::Full, key, "600");
        for text in ["word ".repeat(300), format!("{}<truncated", "\n".repeat(900)), "\u{1}".repeat(700)] {
            let recording = said(policy.clone(), &text).read_under(&policy);
            assert_eq!(kept(&recording), (Kept::Part, Kept::Part), "{} bytes", text.len());
            let cassette = Cassette::new(&recording, &policy);
            assert_eq!(cassette.len(), 0);
            assert!(cassette.tool("look", "{}", Effect::SideEffect, None).is_err());
        }
    }
}

#[test]
fn what_an_agent_keeps_of_itself_comes_back_whole_where_all_content_may_leave() {
    let (_host, recording) = agent(full(), "langchain");
    let state = restorable(&recording, "cp-1").unwrap();
    assert_eq!((state.data_kept, state.agent_data()), (Kept::Whole, Some(serde_json::json!({"step": 3}))));
    assert_eq!(state.to_json()["data"]["value"]["step"], 3);
    let mut target = LangChainAgent::default();
    assert_eq!(restore(&recording, &state, &mut target).error, None);
    let kept = target.0.unwrap();
    assert_eq!(kept.field("metadata").unwrap()["_extra"]["step"], 3);
    assert_eq!(kept.field("messages").unwrap().as_array().unwrap().len(), 4, "what it has not kept was recorded");
    // Where the rest may not leave, neither may it: everything may be a part of it.
    let fields = ["SYSTEM", "PROMPTS", "COMPLETIONS", "REASONING", "TOOL_ARGUMENTS", "TOOL_RESULTS", "ERRORS"];
    for field in fields {
        let name = format!("VEILSPAN_CONTENT_{field}");
        let variables = [("VEILSPAN_CONTENT_MAX", "full"), ("VEILSPAN_CONTENT", "full"), (&*name, "preview")];
        let policy = Policy::builder().unkeyed_sha256().build_in(&variables.into_iter().collect()).0;
        let (_host, recording) = agent(policy, "langchain");
        let state = restorable(&recording, "cp-1").unwrap();
        assert_eq!((state.data_kept, state.agent_data()), (Kept::Nothing, None), "{field}");
        assert!(state.data.unwrap().digest.is_some());
    }
    let (_host, recording) = agent(digests(), "langchain");
    assert_eq!(restorable(&recording, "cp-1").unwrap().agent_data(), None);
}

#[test]
fn an_agents_own_state_counts_more_than_what_was_recorded_and_is_checked() {
    let with = |framework: &str, state: &str| {
        let host = Host::with(full());
        let turn = host.turn("tu");
        let mut call = turn.inference("openai", "m").input("a question").start();
        call.output(Message::text(Role::Assistant, "an answer"));
        call.finish();
        turn.checkpoint("cp").framework(framework).state(state.to_owned()).record();
        turn.finish();
        let recording = host.recording();
        let state = restorable(&recording, "cp").unwrap();
        (recording, state)
    };
    let own = r#"{"messages": [{"type": "human"}], "run_name": "mine", "metadata": null, "more": [1]}"#;
    let (recording, state) = with("langchain", own);
    let mut target = LangChainAgent::default();
    assert_eq!(restore(&recording, &state, &mut target).error, None);
    let kept = target.0.unwrap();
    assert_eq!(kept.field("messages").unwrap(), &serde_json::json!([{"type": "human"}]));
    assert_eq!(
        (kept.field("run_name").unwrap(), &kept.field("metadata").unwrap()["_extra"]["more"][0]),
        (&"mine".into(), &1.into())
    );
    // What does not fit is told by its field, and leaves the target as it was.
    let before = AgentState::from_json(serde_json::json!({"label": "before"})).unwrap();
    let (recording, state) = with("langchain", r#"{"messages": "no list, a canary"}"#);
    let mut target = LangChainAgent(Some(before.clone()));
    let error = restore(&recording, &state, &mut target).error.unwrap();
    assert!(matches!(error, RestoreError::State(StateError::WrongType { field: "messages", .. })), "{error}");
    assert!(!error.to_string().contains("canary"));
    assert_eq!(target.0, Some(before));
    // A text, and a map, of a framework that nobody knows.
    for (own, at) in [("plain words", "agent_data"), (r#"{"cursor": "plain words"}"#, "cursor")] {
        let (recording, state) = with("crew-of-mine", own);
        let mut target = GenericHistory::default();
        assert_eq!(restore(&recording, &state, &mut target).error, None);
        let kept = target.0.unwrap();
        let data = kept.field("data").unwrap();
        assert_eq!((&data[at], data["messages"].as_array().unwrap().len()), (&"plain words".into(), 2));
    }
}
