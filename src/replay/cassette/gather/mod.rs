//! A streamed answer put together as it comes: the body that the same request would have been answered with as a whole.
//!
//! Reads server-sent events in whatever pieces they come. What an API adds that is not known here is left out; what was
//! gathered before a stream broke off is kept. Costs one copy of the texts.

mod anthropic;
mod chat;
mod lines;
mod responses;

use serde_json::{Map, Value};

use self::lines::Lines;
use super::Api;

/// The most bytes of a stream that are kept. Of a longer one nothing is.
const MOST: usize = 64 << 20;

/// A streamed answer that is still coming. Holds content: no `Debug`.
#[allow(missing_debug_implementations)]
pub struct Gathering {
    lines: Lines,
    state: State,
    taken: usize,
}

enum State {
    Chat(chat::Chunks),
    Responses(responses::Events),
    Anthropic(anthropic::Events),
}

/// A streamed answer, as far as it came. Holds content: no `Debug`.
#[allow(missing_debug_implementations)]
pub struct Gathered {
    /// The body; nothing where no event was understood, or there were too many.
    pub body: Option<Value>,
    /// Whether the stream said that it had ended, and that nothing went wrong.
    pub is_whole: bool,
}

impl Gathering {
    /// Of an answer of this API.
    pub fn new(api: Api) -> Self {
        let state = match api {
            Api::Chat => State::Chat(chat::Chunks::default()),
            Api::Responses => State::Responses(responses::Events::default()),
            Api::Anthropic => State::Anthropic(anthropic::Events::default()),
        };
        Self { lines: Lines::default(), state, taken: 0 }
    }

    /// Takes the next bytes of the stream.
    pub fn take(&mut self, bytes: &[u8]) {
        self.taken = self.taken.saturating_add(bytes.len());
        if self.taken > MOST {
            self.lines = Lines::default();
            return;
        }
        let state = &mut self.state;
        self.lines.take(bytes, |data| match state {
            State::Chat(chunks) => chunks.take(data),
            State::Responses(events) => events.take(data),
            State::Anthropic(events) => events.take(data),
        });
    }

    /// What came.
    pub fn finish(self) -> Gathered {
        let (body, is_whole) = match self.state {
            State::Chat(chunks) => chunks.finish(),
            State::Responses(events) => events.finish(),
            State::Anthropic(events) => events.finish(),
        };
        if self.taken > MOST {
            return Gathered { body: None, is_whole: false };
        }
        Gathered { body, is_whole }
    }
}

/// Adds the text of a member to a text.
fn add_text(delta: &Value, name: &str, text: &mut String) {
    text.push_str(delta.get(name).and_then(Value::as_str).unwrap_or_default());
}

/// Puts the members of `from` that are not null over those of `into`.
fn merge(into: &mut Map<String, Value>, from: &Value) {
    let members = from.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    into.extend(members.map(|(name, value)| (name.clone(), value.clone())));
}
