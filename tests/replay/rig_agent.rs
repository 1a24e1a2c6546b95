//! An agent of rig's is recorded, its run taken up from a checkpoint, and goes on from there.

use rig::prelude::*;
use rig::providers::openai::{OpenAIConfig, Route};
use serde_json::{Value, json};
use tracing_subscriber::prelude::*;
use veilspan::replay::{Kept, RigHistory, restorable, restore};

use super::build::{Host, full};
use super::runs::{Model, Says};

/// A model that looks a city up, and then says how many messages it has seen.
async fn model() -> Model {
    let decide = |messages: &[Value]| {
        if messages.last().unwrap()["role"] == "user" && messages.len() <= 2 {
            return Says::Call("look_up", json!({"city": "Oslo"}));
        }
        Says::Text(format!("answer after {} messages", messages.len()))
    };
    Model::start(decide).await
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
    let Model { url, requests } = model().await;
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
