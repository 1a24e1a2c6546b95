//! An agent of rig's that looks cities up, and a model for it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing)]

use rig::prelude::*;
use rig::providers::openai::{OpenAIConfig, Route};
use serde_json::{Value, json};

use super::runs::{Model, Says};

/// A model that looks a city up, and then says how many messages it has seen.
pub async fn model() -> Model {
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

/// An agent that asks this model.
pub fn agent(url: &str) -> rig::Agent {
    let openai = OpenAIConfig::new("no key").with_base_url(url).with_route(Route::Chat).client();
    AgentBuilder::new(openai.completion("m"))
        .name("weather")
        .preamble("Be brief.")
        .tool(LookUp)
        .default_max_turns(4)
        .record_content_telemetry(true)
        .build()
}
