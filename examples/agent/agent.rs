//! The loop: ask, run what is asked for, ask again, answer.

use std::error::Error;

use serde_json::{Value, json};
use veilspan::Recorder;
use veilspan::record::{CallRef, Turn};

use crate::model::Model;
use crate::tools;

const SYSTEM: &str = "You are a careful assistant. Use the tools for arithmetic and for the weather.";
/// More requests than this for one question mean that the model goes round in circles.
const MAX_STEPS: usize = 8;

pub(crate) struct Agent<'a> {
    recorder: &'a Recorder,
    model: &'a Model,
    messages: Vec<Value>,
    previous: CallRef,
    /// One process is one chat.
    conversation: String,
}

impl<'a> Agent<'a> {
    pub(crate) fn new(recorder: &'a Recorder, model: &'a Model) -> Self {
        let messages = vec![json!({ "role": "system", "content": SYSTEM })];
        let conversation = format!("chat-{}", std::process::id());
        Self { recorder, model, messages, previous: CallRef::default(), conversation }
    }

    /// One turn: from a question to its answer.
    pub(crate) fn answer(&mut self, question: &str, last: bool) -> Result<String, Box<dyn Error>> {
        let mut turn = self.recorder.turn("assistant").conversation(&self.conversation).after(&self.previous).start();
        self.previous = turn.reference();
        if last {
            turn.ends_rollout();
        }
        self.messages.push(json!({ "role": "user", "content": question }));
        match self.work(&turn) {
            Ok(answer) => {
                turn.finish();
                Ok(answer)
            }
            Err(error) => {
                turn.fail("model_error");
                Err(error)
            }
        }
    }

    fn work(&mut self, turn: &Turn) -> Result<String, Box<dyn Error>> {
        for _ in 0..MAX_STEPS {
            let answer = self.ask(turn)?;
            let message = &answer["choices"][0]["message"];
            self.messages.push(message.clone());
            let Some(calls) = message["tool_calls"].as_array().filter(|calls| !calls.is_empty()) else {
                return Ok(message["content"].as_str().unwrap_or_default().to_owned());
            };
            for call in calls {
                let result = run_tool(turn, call);
                self.messages.push(json!({ "role": "tool", "tool_call_id": call["id"], "content": result }));
            }
        }
        Err("the model asked for tools again and again".into())
    }

    fn ask(&self, turn: &Turn) -> Result<Value, Box<dyn Error>> {
        let body = json!({ "model": self.model.name, "messages": self.messages, "tools": tools::definitions() });
        let call = turn.inference("openai", &self.model.name).input(&body).start();
        let answer = self.model.chat(&body);
        call.finish_with(&answer);
        Ok(answer?)
    }
}

fn run_tool(turn: &Turn, call: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (id, name, arguments) =
        (text(&call["id"]), text(&call["function"]["name"]), text(&call["function"]["arguments"]));
    let mut recorded =
        turn.tool(&name).call_id(&id).tool_type("function").requested_by_model().arguments(arguments.as_str()).start();
    match tools::run(&name, &arguments) {
        Ok(result) => {
            recorded.result(&result);
            recorded.finish();
            result
        }
        Err(error) => {
            recorded.result(error);
            recorded.fail("tool_error");
            error.to_owned()
        }
    }
}
