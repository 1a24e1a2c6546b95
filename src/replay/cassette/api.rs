//! The APIs that are spoken.

use serde_json::Value;

use super::answer::Recorded;
use super::reply::Reply;
use super::{Cassette, Missing, anthropic, chat, responses};
use crate::event::shape;

/// An API of a model provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// OpenAI's chat completions.
    Chat,
    /// OpenAI's responses.
    Responses,
    /// Anthropic's messages.
    Anthropic,
}

/// An answer in the shape of an API. Holds content: no `Debug`.
#[allow(missing_debug_implementations)]
pub enum Served {
    /// A body.
    Whole(Value),
    /// Server-sent events.
    Stream(Vec<Streamed>),
    /// An error, as it was recorded.
    Failure {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: Value,
    },
}

/// One server-sent event.
#[allow(missing_debug_implementations)]
pub struct Streamed {
    /// Its name, where the API names them.
    pub event: Option<&'static str>,
    /// Its data.
    pub data: String,
}

impl Streamed {
    pub(super) fn new(event: Option<&'static str>, data: &Value) -> Self {
        Self { event, data: data.to_string() }
    }
}

/// Sets a member of an object.
pub(super) fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(map) = object.as_object_mut() {
        map.insert(name.to_owned(), value);
    }
}

impl Api {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Chat, Self::Responses, Self::Anthropic];

    /// The path that requests are sent to, below the base URL.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Responses => "/responses",
            Self::Anthropic => "/messages",
        }
    }
}

impl Cassette {
    /// The recorded answer to the body of a request, whole or streamed as the request asks for it.
    ///
    /// # Errors
    ///
    /// The body is no request, or nothing was recorded for it.
    pub fn answer(&self, api: Api, body: &Value) -> Result<Served, Missing> {
        let messages = if api == Api::Responses { "input" } else { "messages" };
        let request = body.get(messages).and_then(|_| shape::request(body)).ok_or(Missing::NotARequest)?;
        let model = body.get("model").and_then(Value::as_str).unwrap_or_default();
        let answer = match self.find(request)? {
            Reply::Answer(answer) => answer,
            Reply::Failure(failure) => return Ok(Served::Failure { status: failure.status, body: failure.body() }),
            Reply::Lost => return Err(Missing::Lost),
        };
        let is_streamed = body.get("stream").and_then(Value::as_bool).unwrap_or(false);
        Ok(if is_streamed {
            let usage = body.pointer("/stream_options/include_usage").and_then(Value::as_bool).unwrap_or(false);
            Served::Stream(stream(api, answer, model, usage))
        } else {
            Served::Whole(whole(api, answer, model))
        })
    }
}

fn whole(api: Api, answer: &Recorded, model: &str) -> Value {
    match api {
        Api::Chat => chat::body(answer, model),
        Api::Responses => responses::body(answer, model),
        Api::Anthropic => anthropic::body(answer, model),
    }
}

fn stream(api: Api, answer: &Recorded, model: &str, usage: bool) -> Vec<Streamed> {
    match api {
        Api::Chat => chat::events(answer, model, usage),
        Api::Responses => responses::events(answer, model),
        Api::Anthropic => anthropic::events(answer, model),
    }
}
