//! Whole content: valid against the conventions' schemas, whatever it is cut to.

use proptest::prelude::*;
use serde_json::{Value, json};
use veilspan::event::{CallKind, Given, Message, Part, Request, ResultContent, Returned, Role, ToolDefinition};
use veilspan::{Policy, Recorder};

use super::recorded::{conversation, inference, policy, recorded, tool};
use super::schema::{is_input, is_output, is_system, is_tools};

fn masked(bytes: &str) -> Policy {
    policy(&[("VEILSPAN_CONTENT", "masked"), ("VEILSPAN_ATTRIBUTE_BYTES", bytes)])
}

#[test]
fn whole_content_is_what_was_said_in_the_conventions_form() {
    let calls = recorded(masked("65536"), conversation);
    let (input, output) = inference(&calls);
    let json = |text: Option<&bytestring::ByteString>| -> Value { serde_json::from_str(text.unwrap()).unwrap() };
    let messages = json(input.shown.content());
    assert_eq!(messages[0]["parts"][0]["content"], "the first question");
    assert_eq!(messages[1]["parts"][0]["type"], "reasoning");
    assert_eq!(messages[1]["parts"][2]["arguments"]["city"], "the arguments");
    assert_eq!(messages[2]["parts"][0]["response"], "the tool result");
    let answer = json(output.shown.content());
    assert_eq!((&answer[0]["role"], &answer[0]["finish_reason"]), (&"assistant".into(), &"tool_call".into()));
    assert_eq!(json(input.system.shown.content())[0]["content"], "the system text");
    assert_eq!(json(input.tools_shown.content())[0]["parameters"]["type"], "object");
    let (arguments, result) = tool(&calls);
    assert_eq!(&**arguments.shown.content().unwrap(), r#"{"city": "the arguments"}"#);
    assert_eq!(&**result.shown.content().unwrap(), "the tool result");
}

#[test]
fn of_a_long_history_the_newest_messages_stay_and_long_texts_are_cut() {
    let calls = recorded(masked("4096"), |recorder| {
        let messages: Vec<Message> = (0..200)
            .map(|n| Message::text(if n % 2 == 0 { Role::User } else { Role::Assistant }, format!("message {n}")))
            .chain([Message::text(Role::User, format!("the newest {}", "x".repeat(10_000)))])
            .collect();
        recorder.inference("p", "m").input(messages).start().finish();
    });
    let content = inference(&calls).0.shown.content().unwrap().clone();
    assert!(content.len() <= 4096 && content.len() > 3000, "{}", content.len());
    let messages: Value = serde_json::from_str(&content).unwrap();
    let last = messages.as_array().unwrap().last().unwrap()["parts"][0]["content"].as_str().unwrap();
    assert!(last.starts_with("the newest xxx") && last.contains("… <truncated len="), "{last}");
    assert!(content.contains("message 199") && !content.contains("message 0\""));
}

/// Calls of the kinds that the conventions have no messages for, each with what it was given and what it returned.
fn other_calls(recorder: &Recorder) {
    let mut search = recorder.retrieval("source").query("a query").start();
    search.document("the first document").document("the second document");
    search.finish();
    let mut memory = recorder.memory("search_memory").input("a look").start();
    memory.output("a memory");
    memory.finish();
    recorder.embeddings("p", "m").input("one text").input("another").start().finish();
    let mut workflow = recorder.workflow("w").input("what to do").start();
    workflow.output("what was done");
    workflow.finish();
    let turn = recorder.turn("agent").start();
    let mut cell = turn.code_cell("1").source("print(1)").start();
    cell.output("1");
    cell.finish();
    let mut terminal = turn.terminal("exec").input(r#"{"cmd":"ls -la"}"#).start();
    terminal.output("a file");
    terminal.finish();
    turn.approval("deploy").question("may I?").start().approved();
    turn.finish();
}

#[test]
fn what_calls_of_other_kinds_were_given_and_returned_leaves_whole_as_one_message() {
    let calls = recorded(masked("65536"), other_calls);
    let mut told = Vec::new();
    for call in &calls {
        let (Given::Texts(given), Returned::Texts(returned)) = (&call.given, &call.returned) else { continue };
        let [given, returned] = [given, returned].map(|texts| texts.first().and_then(|first| first.shown.content()));
        assert!(given.iter().all(|text| is_input(text)) && returned.iter().all(|text| is_output(text)));
        let parts = |text: Option<&bytestring::ByteString>| {
            text.map_or(Value::Null, |text| serde_json::from_str::<Value>(text).unwrap()[0]["parts"].take())
        };
        told.push((call.kind, parts(given), parts(returned)));
    }
    let of = |kind: CallKind| told.iter().find(|(known, ..)| *known == kind).unwrap();
    let text = |content: &str| json!({ "type": "text", "content": content });
    let response = |content: &str| json!({ "type": "tool_call_response", "response": content });
    let call = |name: &str, arguments: Value| json!([{ "type": "tool_call", "name": name, "arguments": arguments }]);
    assert_eq!(of(CallKind::Retrieval).1, json!([text("a query")]));
    assert_eq!(of(CallKind::Retrieval).2, json!([response("the first document"), response("the second document")]));
    assert_eq!(of(CallKind::Memory).2, json!([response("a memory")]));
    assert_eq!(of(CallKind::Embeddings).1, json!([text("one text"), text("another")]));
    assert_eq!(of(CallKind::Workflow).2, json!([text("what was done")]));
    assert_eq!(of(CallKind::CodeCell).1, call("code_cell", "print(1)".into()));
    assert_eq!(of(CallKind::Terminal).1, call("terminal", json!({ "cmd": "ls -la" })));
    assert_eq!(of(CallKind::Approval).1, call("approval", "may I?".into()));
}

#[test]
fn of_a_class_that_does_not_leave_whole_no_call_of_another_kind_tells_more() {
    for class in ["PROMPTS", "COMPLETIONS", "TOOL_ARGUMENTS", "TOOL_RESULTS"] {
        let variable = format!("VEILSPAN_CONTENT_{class}");
        let hidden: &[&str] = match class {
            "PROMPTS" => &["a query", "a look", "one text", "what to do"],
            "COMPLETIONS" => &["what was done"],
            "TOOL_ARGUMENTS" => &["print(1)", "ls -la", "may I?"],
            _ => &["the first document", "a memory", "a file"],
        };
        let calls = recorded(policy(&[("VEILSPAN_CONTENT", "masked"), (&variable, "digest")]), other_calls);
        let mut bytes = Vec::new();
        calls.iter().for_each(|call| veilspan::otlp::encode::Encoder::default().span(call, &mut bytes));
        let wire = String::from_utf8_lossy(&bytes);
        hidden.iter().for_each(|text| assert!(!wire.contains(text), "{text} under {class}"));
    }
}

/// Any text, long and short, with what is hard to escape and hard to cut.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>(),
        1 => Just("\u{0}\u{1f}\"\\\n👨‍👩‍👧‍👦e\u{301}".repeat(50)),
        1 => (0usize..5000).prop_map(|length| "ü ".repeat(length)),
        1 => Just(r#"{"a":[1,2,{"b":"c \" d"}],"e":12345678901234567890123}"#.to_owned()),
        1 => Just(format!("{}{}", "[".repeat(200), "]".repeat(200))),
        1 => Just(format!("[{}]", vec!["7"; 3000].join(","))),
        1 => Just(format!(r#"{{"type":"x","{}":"y"}}"#, "k".repeat(3000))),
        1 => Just(r#"{"type":"image","lone":"\ud800"}"#.to_owned()),
    ]
}

/// What a part is made of. Content itself cannot be printed.
#[derive(Clone, Debug)]
enum Seed {
    Leaf(u8, [String; 3]),
    Result(String, Vec<Seed>, bool),
}

impl Seed {
    fn part(self) -> Part {
        match self {
            Self::Leaf(kind, [a, b, c]) => match kind {
                0 => Part::Text(a.into()),
                1 => Part::Reasoning(a.into()),
                2 => Part::ToolCall { id: Some(a.into()), name: b.into(), arguments: c.into() },
                3 => Part::Blob(a.into_bytes().into()),
                4 => Part::Encrypted(a.into_bytes().into()),
                5 => Part::Reference(a.into()),
                _ => Part::Other(a.into()),
            },
            Self::Result(text, _, true) => {
                Part::ToolResult { call_id: None, content: ResultContent::Text(text.into()) }
            }
            Self::Result(id, parts, false) => {
                let content = ResultContent::Parts(parts.into_iter().map(Self::part).collect());
                Part::ToolResult { call_id: Some(id.into()), content }
            }
        }
    }
}

fn leaf() -> impl Strategy<Value = Seed> {
    (0u8..7, [text(), text(), text()]).prop_map(|(kind, texts)| Seed::Leaf(kind, texts))
}

type Messages = Vec<(Role, Vec<Seed>)>;

fn seeds() -> impl Strategy<Value = Messages> {
    let result = (text(), proptest::collection::vec(leaf(), 0..3), any::<bool>());
    let result = result.prop_map(|(text, parts, is_text)| Seed::Result(text, parts, is_text));
    let parts = proptest::collection::vec(prop_oneof![4 => leaf(), 1 => result], 0..5);
    proptest::collection::vec((proptest::sample::select(&Role::ALL[..]), parts), 0..6)
}

fn messages(seeds: Messages) -> Vec<Message> {
    let message =
        |(role, parts): (Role, Vec<Seed>)| Message { role, parts: parts.into_iter().map(Seed::part).collect() };
    seeds.into_iter().map(message).collect()
}

fn tool_of([name, description, parameters]: [String; 3]) -> ToolDefinition {
    ToolDefinition { name: name.into(), description: Some(description.into()), parameters: Some(parameters.into()) }
}

fn level() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&["none", "digest", "preview", "masked", "full"][..])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_content_is_valid_under_any_cap_and_any_levels(
        input in seeds(),
        system in proptest::collection::vec(text(), 0..3),
        tools in proptest::collection::vec([text(), text(), text()], 0..3),
        answer in seeds(),
        arguments in text(),
        bytes in prop_oneof![Just(0usize), Just(1), 2usize..400, 400usize..20_000],
        levels in [level(), level(), level(), level(), level(), level()],
    ) {
        let bytes_text = bytes.to_string();
        let names = ["SYSTEM", "PROMPTS", "COMPLETIONS", "REASONING", "TOOL_ARGUMENTS", "TOOL_RESULTS"]
            .map(|class| format!("VEILSPAN_CONTENT_{class}"));
        let mut variables: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(levels).collect();
        variables.push(("VEILSPAN_CONTENT_MAX", "full"));
        variables.push(("VEILSPAN_ATTRIBUTE_BYTES", &bytes_text));
        let said = arguments.clone();
        let calls = recorded(policy(&variables), move |recorder: &Recorder| {
            let request = Request {
                messages: messages(input),
                system: system.into_iter().map(Into::into).collect(),
                tools: tools.into_iter().map(tool_of).collect(),
            };
            let mut call = recorder.inference("p", "m").input(request).start();
            messages(answer).into_iter().for_each(|message| { call.output(message); });
            call.finish();
            recorder.tool("t").arguments(arguments).start().finish();
        });
        let (input, output) = inference(&calls);
        let (arguments, _) = tool(&calls);
        for (shown, is_valid) in [
            (&input.shown, is_input as fn(&str) -> bool),
            (&output.shown, is_output),
            (&input.system.shown, is_system),
            (&input.tools_shown, is_tools),
        ] {
            if let Some(content) = shown.content() {
                prop_assert!(content.len() <= bytes);
                prop_assert!(is_valid(content), "{content}");
            }
        }
        if let Some(content) = arguments.shown.content() {
            prop_assert!(content.len() <= bytes);
            if serde_json::from_str::<Value>(&said).is_ok_and(|value| value.is_object() || value.is_array()) {
                prop_assert!(serde_json::from_str::<Value>(content).is_ok(), "{content}");
            }
        }
        for preview in [input.shown.preview(), output.shown.preview(), arguments.shown.preview()].into_iter().flatten() {
            prop_assert!(preview.len() <= bytes);
        }
    }
}
