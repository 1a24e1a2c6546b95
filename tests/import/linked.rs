//! Sub-agents of Claude Code whose call does not say in its result that it started them.

use serde_json::{Value, json};
use veilspan::event::CallKind;
use veilspan::import::claude::{Of, Session};
use veilspan::semconv::TOOL_CALL_ID;

use super::claude::drain;
use super::hooked::hook;
use super::script::{Claude, SESSION};
use super::told::set;

/// The rows of a sub-agent that was asked this.
fn agent(name: &str, second: f64, prompt: &str) -> (String, Vec<u8>) {
    let mut script = Claude::default();
    script.prompt(second, name, prompt).say(second + 1.0, &format!("{name}-m"), "found");
    script.rows.iter_mut().for_each(|row| row["isSidechain"] = true.into());
    (name.to_owned(), script.bytes())
}

/// A session in which agents were asked for the same, from second to second; what each call is said to have returned.
fn asked(calls: &[(&str, (f64, f64), Value)]) -> Claude {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "go");
    for (id, (from, _), _) in calls {
        script.call(*from, &format!("m-{id}"), (id, "Task"), json!({"prompt": "find it"}));
    }
    for (id, (_, until), known) in calls {
        script.result(*until, id, "done", json!({"known": known}));
    }
    script.say(50.0, "last", "ok");
    script
}

/// The call that each of these is told under.
fn callers(mut session: Session, script: &Claude, agents: &[(String, Vec<u8>)]) -> Vec<Option<String>> {
    session.feed(Of::Session, &script.bytes());
    for (name, rows) in agents {
        session.feed(Of::Agent(name), rows);
    }
    session.finish();
    let told = drain(&mut session);
    let (turns, tools) = (told.of(CallKind::Turn), told.of(CallKind::Tool));
    let caller = |name: &str| {
        let turn = turns.iter().find(|turn| turn.scope.thread == name).unwrap();
        let call = tools.iter().find(|tool| Some(tool.opened.span.span) == turn.opened.span.parent)?;
        assert_eq!(call.opened.span.trace, turn.opened.span.trace);
        call.opened.attrs.text(TOOL_CALL_ID).map(str::to_owned)
    };
    agents.iter().map(|(name, _)| caller(name)).collect()
}

fn session() -> Session {
    Session::new(set(), SESSION)
}

#[test]
fn t32_a_sub_agent_whose_call_does_not_name_it_is_known_by_what_it_was_asked() {
    let one = |known: Value, prompt: &str| {
        let script = asked(&[("t1", (3.0, 13.0), known)]);
        callers(session(), &script, &[agent("aa", 4.0, prompt)])
    };
    for known in [json!({"status": "completed"}), json!("done"), json!("Error: boom"), json!(null)] {
        assert_eq!(one(known.clone(), "find it"), [Some("t1".to_owned())], "{known}");
    }
    assert_eq!(one(json!({"agentId": "bb"}), "find it"), [None], "it started another one");
    assert_eq!(one(json!("done"), "find something else"), [None]);
}

#[test]
fn t32_of_calls_that_asked_the_same_the_one_is_taken_that_is_no_guess() {
    let [first, second] = ["t1", "t2"].map(|id| Some(id.to_owned()));
    let one_after_the_other = asked(&[("t1", (3.0, 13.0), json!("x")), ("t2", (20.0, 30.0), json!("y"))]);
    let agents = [agent("bb", 21.0, "find it"), agent("aa", 4.0, "find it")];
    assert_eq!(callers(session(), &one_after_the_other, &agents), [second.clone(), first.clone()]);
    let at_once = [("t1", (3.0, 13.0), json!("x")), ("t2", (3.5, 12.0), json!("y"))];
    let agents = [agent("aa", 4.0, "find it"), agent("bb", 4.0, "find it")];
    assert_eq!(callers(session(), &asked(&at_once), &agents), [None, None]);
    let mut one_named = at_once;
    one_named[1].2 = json!({"agentId": "aa"});
    assert_eq!(callers(session(), &asked(&one_named), &agents), [second, first]);
}

#[test]
fn t32_a_hook_tells_which_call_started_a_sub_agent() {
    let script = asked(&[("t1", (3.0, 13.0), json!("x")), ("t2", (3.5, 12.0), json!("y"))]);
    let mut session = session();
    for (id, name) in [("t1", "bb"), ("t2", "aa")] {
        let returned = json!({"tool_name": "Task", "tool_use_id": id, "tool_response": {"agentId": name}});
        hook(&mut session, 13.0, "PostToolUse", returned);
    }
    assert!(!session.knows_agent("aa"), "its call was not read yet");
    session.feed(Of::Session, &script.bytes());
    assert!(session.knows_agent("aa") && !session.knows_agent("cc"));
    let agents = [agent("aa", 4.0, "in other words"), agent("bb", 4.0, "find it")];
    let expected = ["t2", "t1"].map(|id| Some(id.to_owned()));
    assert_eq!(callers(session, &Claude::default(), &agents), expected);
}
