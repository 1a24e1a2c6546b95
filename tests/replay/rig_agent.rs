//! An agent of rig's is recorded, its run taken up from a checkpoint, and goes on from there.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use axum::routing::post;
use axum::{Json, Router};
use rig::prelude::*;
use rig::providers::openai::{OpenAIConfig, Route};
use serde_json::{Value, json};
use tracing_subscriber::prelude::*;
use veilspan::replay::{Kept, RigHistory, restorable, restore};

use super::build::{Host, full};

/// A model that looks a city up, and then says how many messages it has seen; and the requests that it got.
async fn model() -> (String, Arc<Mutex<Vec<Value>>>) {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    let complete = move |Json(request): Json<Value>| async move {
        let messages = request["messages"].as_array().unwrap().clone();
        seen.lock().unwrap().push(request);
        let message = if messages.last().unwrap()["role"] == "user" && messages.len() <= 2 {
            let function = json!({"name": "look_up", "arguments": "{\"city\":\"Oslo\"}"});
            let call = json!({"id": "call_1", "type": "function", "function": function});
            json!({"role": "assistant", "content": null, "tool_calls": [call]})
        } else {
            json!({"role": "assistant", "content": format!("answer after {} messages", messages.len())})
        };
        let reason = if message["tool_calls"].is_array() { "tool_calls" } else { "stop" };
        Json(json!({
            "id": "1", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }))
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let app = Router::new().route("/v1/chat/completions", post(complete));
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, requests)
}

struct LookUp;

#[derive(serde::Deserialize)]
struct Place {
    city: String,
}

impl PortableTool for LookUp {
    const NAME: &'static str = "look_up";
    type Args = Place;
    type Output = String;
    type Error = std::convert::Infallible;

    fn description(&self) -> String {
        "Looks a city up.".to_owned()
    }

    fn parameters(&self) -> Value {
        json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
    }

    async fn call(&self, Place { city }: Place) -> Result<String, std::convert::Infallible> {
        Ok(format!("7 degrees in {city}"))
    }
}

fn agent(url: &str) -> rig::Agent {
    let openai = OpenAIConfig::new("no key").with_base_url(url).with_route(Route::Chat).client();
    AgentBuilder::new(openai.completion("m"))
        .name("weather")
        .preamble("Be brief.")
        .tool(LookUp)
        .default_max_turns(4)
        .record_content_telemetry(true)
        .build()
}

#[tokio::test]
async fn an_agent_of_rig_goes_on_from_where_its_run_was_restored() {
    let (url, requests) = model().await;
    let host = Host::with(full());
    let subscriber = tracing_subscriber::registry().with(host.recorder.layer());
    let guard = tracing::subscriber::set_default(subscriber);
    agent(&url).prompt("How warm is it in Oslo?").await.unwrap();
    drop(guard);
    let recording = host.recording();
    let last = recording.events().last().unwrap().at;
    let cut = veilspan::replay::Cut::behind(last).unwrap();
    let state = restorable(&recording, &cut.to_string()).unwrap();
    assert_eq!(state.kept, Kept::Whole, "{state:?}");

    let mut target = RigHistory::default();
    let restored = restore(&recording, &state, &mut target);
    assert_eq!((restored.taken_as, restored.error), ("rig", None));
    let history: Vec<rig::completion::Message> = serde_json::from_value(target.0.into()).unwrap();
    let before = requests.lock().unwrap().len();
    let answer = agent(&url).prompt("And tomorrow?").history(history).await.unwrap();
    let requests = requests.lock().unwrap();
    let sent = requests[before]["messages"].as_array().unwrap();
    let roles: Vec<_> = sent.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "assistant", "user"]);
    assert_eq!(sent[2]["tool_calls"][0]["function"]["name"], "look_up");
    assert!(sent[3]["content"].to_string().contains("7 degrees in Oslo"), "{sent:#?}");
    assert!(format!("{answer:?}").contains("answer after 6 messages"), "{answer:?}");
}
