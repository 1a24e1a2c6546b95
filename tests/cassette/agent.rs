//! An agent is recorded with its model, and run again with the recording in the model's place.

use serde_json::{Value, json};
use veilspan::record::Fault;
use veilspan::replay::{InputState, Verdict, diff};

use super::build::Host;
use super::runs::{Model, Says, Served};

/// A model that looks something up twice and then answers.
pub async fn model() -> String {
    let decide = |messages: &[Value]| {
        let results = messages.iter().filter(|message| message["role"] == "tool").count();
        if results < 2 {
            return Says::Call("look_up", json!({"n": results}));
        }
        Says::Text(format!("so: {}", messages.last().unwrap()["content"]))
    };
    Model::start(decide).await.url
}

/// Runs the agent, whose second look-up gives `second`. The error that ended it, where one did.
pub async fn agent(host: &Host, url: &str, second: &str) -> Option<Value> {
    let client = reqwest::Client::new();
    let mut turn = host.recorder.turn("agent").rollout("r").thread("th").turn_id("tu").start();
    let mut messages =
        vec![json!({"role": "system", "content": "be brief"}), json!({"role": "user", "content": "look"})];
    let tools = json!([{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]);
    turn.ends_rollout();
    loop {
        let body = json!({"model": "m", "messages": messages, "tools": tools});
        let mut call = turn.inference("openai", "m").input(&body).start();
        let response = client.post(format!("{url}/chat/completions")).json(&body).send().await.unwrap();
        let status = response.status();
        let answer: Value = response.json().await.unwrap();
        if !status.is_success() {
            call.finish_with::<Value, _>(&Err(Fault::new("refused")));
            turn.fail("refused");
            return Some(answer);
        }
        call.answer(&answer);
        call.finish();
        let message = answer["choices"][0]["message"].clone();
        let calls = message["tool_calls"].as_array().cloned().unwrap_or_default();
        messages.push(message);
        if calls.is_empty() {
            turn.finish();
            return None;
        }
        for asked in calls {
            let arguments = asked["function"]["arguments"].as_str().unwrap().to_owned();
            let result = if arguments.contains('1') { second } else { "first" };
            let mut tool = turn.tool("look_up").call_id(asked["id"].as_str().unwrap()).arguments(arguments).start();
            tool.result(result);
            tool.finish();
            messages.push(json!({"role": "tool", "tool_call_id": asked["id"], "content": result}));
        }
    }
}

#[tokio::test]
async fn a_run_against_its_own_cassette_is_free_of_drift() {
    let folder = tempfile::tempdir().unwrap();
    let recorded = Host::new();
    assert_eq!(agent(&recorded, &model().await, "second").await, None);
    let served = Served::start(&recorded.write(folder.path()));
    let again = Host::new();
    assert_eq!(agent(&again, &served.url, "second").await, None);
    let report = diff(&recorded.run(), &again.run());
    assert_eq!(report.verdict(), Verdict::Same, "{:#?}", report.differences);
    assert_eq!((report.steps, report.not_comparable), ([6, 6], 0));
}

#[tokio::test]
async fn a_changed_tool_result_is_refused_by_the_cassette_and_is_the_first_divergence() {
    let folder = tempfile::tempdir().unwrap();
    let recorded = Host::new();
    let model = model().await;
    agent(&recorded, &model, "second").await;
    let served = Served::start(&recorded.write(folder.path()));
    let changed = Host::new();
    let error = agent(&changed, &served.url, "a canary that was never recorded").await.unwrap();
    let nearest = &error["error"]["nearest"];
    assert_eq!((&error["error"]["type"], &nearest["pointer"]), (&json!("not_recorded"), &json!("/messages/5")));
    for digest in ["expected", "actual"] {
        assert!(nearest[digest].as_str().unwrap().starts_with("sha256:"), "{error}");
    }
    let calls = recorded.calls();
    let span = calls.iter().rfind(|call| call.kind == veilspan::event::CallKind::Inference).unwrap().opened.span;
    assert_eq!(nearest["span"], span.span.to_string());
    let log = served.stop();
    for text in [error.to_string(), log] {
        assert!(!text.contains("canary") && !text.contains("brief") && !text.contains("second"), "{text}");
    }
    // With the model itself: the changed step first, and what follows from it.
    let changed = Host::new();
    agent(&changed, &model, "a canary that was never recorded").await;
    let report = diff(&recorded.run(), &changed.run());
    let kinds: Vec<_> = report.drift().map(|one| (one.kind.as_str(), one.input, one.since)).collect();
    assert_eq!(kinds, [("result", InputState::Same, None), ("output", InputState::Changed, Some(0))]);
}
