//! Claude Code: what stands in the payloads of hooks, in all the forms that it has.

use serde_json::{Value, json};
use veilspan::event::{CallKind, Outcome};
use veilspan::semconv::TOOL_CALL_ID;

use super::hooked::with;
use super::told::{Record, seconds};
use super::unrowed::{agent, alone, call, of_agent, over, tool};

#[test]
fn a_hook_that_has_both_spellings_of_a_field_is_heard_and_the_first_counts() {
    let plain = [
        (1.0, "UserPromptSubmit", json!({"prompt": "go"})),
        (2.0, "PreToolUse", tool("g1")),
        (3.0, "PostToolUse", with(tool("g1"), json!({"tool_response": "x"}))),
        (4.0, "Stop", json!({"last_assistant_message": "done"})),
    ];
    let both = plain.clone().map(|(second, name, mut payload)| {
        let pairs = [
            ("tool_name", "tool"),
            ("tool_input", "input"),
            ("tool_response", "output"),
            ("last_assistant_message", "last_agent_message"),
        ];
        for (first, other) in pairs {
            if payload.get(first).is_some() {
                payload[other] = "other".into();
            }
        }
        (second, name, with(payload, json!({"sessionId": "other", "turn_id": 7, "prompt_id": [], "model": {}})))
    });
    assert_eq!(alone(&both).sorted(), alone(&plain).sorted());
    let both = json!({"tool_response": {"agentId": "a1", "agent_id": "a2"}});
    let hooks = [
        (1.0, "UserPromptSubmit", json!({"prompt": "go"})),
        (3.0, "PreToolUse", of_agent(tool("g1"), "a1")),
        (4.0, "PostToolUse", of_agent(tool("g1"), "a1")),
        (5.0, "PostToolUse", with(agent("s1"), both)),
    ];
    let told = over(&hooks);
    assert_eq!(call(&told, "g1").opened.span.parent, Some(call(&told, "s1").opened.span.span));
}

/// How a tool ended that returned this, as hooks alone tell it, and the length of what it said of that.
fn ended(hook: &str, more: Value) -> (Option<Outcome>, Option<u64>) {
    let hooks = [
        (1.0, "UserPromptSubmit", json!({"prompt": "go"})),
        (2.0, "PreToolUse", tool("g1")),
        (3.0, hook, with(tool("g1"), more)),
    ];
    let told = over(&hooks);
    let closed = &call(&told, "g1").closed;
    (closed.outcome, closed.error.length)
}

#[test]
fn t17_what_a_tool_returned_tells_that_it_went_wrong() {
    let cases = [
        (json!({"interrupted": true}), Outcome::Cancelled, None),
        (json!({"interrupted": false, "stdout": "x"}), Outcome::Completed, None),
        (json!({"is_error": true}), Outcome::Failed, None),
        (json!({"isError": true, "error": "boom"}), Outcome::Failed, Some(4)),
        (json!({"status": "failed", "error": {"message": "boom!"}}), Outcome::Failed, Some(5)),
        (json!({"status": "error"}), Outcome::Failed, None),
        (json!({"status": "completed", "is_error": "no", "error": "boom"}), Outcome::Completed, None),
        (json!("failed"), Outcome::Completed, None),
        (json!([{"type": "text"}]), Outcome::Completed, None),
    ];
    for (response, outcome, length) in cases {
        let expected = (Some(outcome), length);
        assert_eq!(ended("PostToolUse", json!({"tool_response": response})), expected, "{response}");
        // Some agents write it as a text, in which a status may be the tool's own.
        let text = json!({"tool_response": response.to_string()});
        let expected = if response.get("status").is_some() { (Some(Outcome::Completed), None) } else { expected };
        assert_eq!(ended("PostToolUse", text), expected, "{response}");
    }
    let failed = json!({"error": "bad", "tool_response": {"interrupted": true}});
    assert_eq!(ended("PostToolUseFailure", failed), (Some(Outcome::Cancelled), Some(3)));
}

#[test]
fn a_sub_agent_that_a_tool_names_in_a_text_is_told_under_it() {
    for response in [r#"{"agent_id": "a1"}"#, " {\"agentId\": \"a1\", \"status\": \"completed\"}"] {
        let hooks = [
            (1.0, "UserPromptSubmit", json!({"prompt": "go"})),
            (2.0, "PreToolUse", of_agent(tool("g1"), "a1")),
            (3.0, "PostToolUse", of_agent(tool("g1"), "a1")),
            (4.0, "PostToolUse", with(agent("s1"), json!({"tool_response": response}))),
        ];
        let told = over(&hooks);
        assert_eq!(call(&told, "g1").opened.span.parent, Some(call(&told, "s1").opened.span.span));
    }
}

#[test]
fn t48_a_request_may_be_told_before_the_call_that_it_is_for() {
    let asked = |command: &str| json!({"tool_name": "Bash", "tool_input": {"command": command}});
    let runs = |id: &str, command: &str| with(asked(command), json!({"tool_use_id": id}));
    let waits = |hooks: &[(f64, &str, Value)]| {
        let told = over(hooks);
        let waits = told.of(CallKind::Approval).into_iter();
        let of = |wait: &Record| (wait.opened.attrs.text(TOOL_CALL_ID).unwrap().to_owned(), seconds(wait));
        waits.map(of).collect::<Vec<_>>()
    };
    let mut hooks = vec![
        (1.0, "UserPromptSubmit", json!({"prompt": "go"})),
        (2.0, "PreToolUse", runs("c0", "ls")),
        (5.0, "PostToolUse", runs("c0", "ls")),
        (5.0, "PermissionRequest", asked("pwd")),
        (5.0, "PermissionRequest", asked("ls")),
        (5.0, "PreToolUse", runs("c1", "ls")),
        (5.0, "PreToolUse", runs("c2", "pwd")),
        (7.0, "PostToolUse", runs("c2", "pwd")),
        (9.0, "PostToolUse", runs("c1", "ls")),
    ];
    let expected = [("c2".to_owned(), (5, 7)), ("c1".to_owned(), (5, 9))];
    assert_eq!(waits(&hooks), expected);
    hooks[1..].reverse();
    assert_eq!(waits(&hooks), expected);
    // Another hook may have changed the arguments.
    let changed = [
        (1.0, "UserPromptSubmit", json!({"prompt": "go"})),
        (2.0, "PreToolUse", runs("c1", "ls")),
        (3.0, "PermissionRequest", asked("ls -l")),
        (7.0, "PostToolUse", runs("c1", "ls")),
    ];
    assert_eq!(waits(&changed), [("c1".to_owned(), (3, 7))]);
}
