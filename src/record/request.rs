//! What a caller can hand over as a model's input.

use std::sync::Arc;

use serde_json::Value;

use crate::event::{Message, Part, RawText, Request, Role, shape};

/// Input of a model. Owned values are moved where they can be, borrowed ones copied.
pub trait IntoRequest {
    /// Adds it to what the model is sent.
    fn into_request(self, request: &mut Request);

    /// The request body in which the parameters of the request stand, where it is one.
    fn parameters(&self) -> Option<&Value> {
        None
    }
}

impl IntoRequest for Request {
    fn into_request(self, request: &mut Request) {
        request.system.extend(self.system);
        request.tools.extend(self.tools);
        request.messages.extend(self.messages);
    }
}

impl IntoRequest for Vec<Message> {
    fn into_request(self, request: &mut Request) {
        request.messages.extend(self);
    }
}

impl IntoRequest for Message {
    fn into_request(self, request: &mut Request) {
        request.messages.push(self);
    }
}

/// One message of the user.
impl IntoRequest for &str {
    fn into_request(self, request: &mut Request) {
        request.messages.push(Message::text(Role::User, self));
    }
}

/// One message of the user.
impl IntoRequest for String {
    fn into_request(self, request: &mut Request) {
        request.messages.push(Message::text(Role::User, self));
    }
}

/// A request body, or its array of messages, of OpenAI's or Anthropic's API, or messages of the GenAI conventions.
impl IntoRequest for &Value {
    fn into_request(self, request: &mut Request) {
        match shape::request(self) {
            Some(read) => IntoRequest::into_request(read, request),
            None => match self.as_str() {
                Some(text) => IntoRequest::into_request(text, request),
                None => request.messages.push(unread(shape::json::text(self))),
            },
        }
    }

    fn parameters(&self) -> Option<&Value> {
        Some(self)
    }
}

/// The messages of such a request.
impl IntoRequest for &[Value] {
    fn into_request(self, request: &mut Request) {
        request.messages.extend(shape::messages_of(self));
    }
}

/// The messages of such a request.
impl IntoRequest for &Vec<Value> {
    fn into_request(self, request: &mut Request) {
        IntoRequest::into_request(self.as_slice(), request);
    }
}

/// The same, of which nothing is copied.
impl IntoRequest for Value {
    fn into_request(self, request: &mut Request) {
        let has_messages =
            self.is_array() || ["messages", "input", "prompt"].into_iter().any(|key| self.get(key).is_some());
        match self {
            Self::String(text) => IntoRequest::into_request(text, request),
            body if shape::json::is_deep(&body) => {
                IntoRequest::into_request(&body, request);
                shape::json::take_apart(body);
            }
            body if has_messages => {
                if let Some(read) = shape::request(body) {
                    IntoRequest::into_request(read, request);
                }
            }
            other => request.messages.push(unread(shape::json::into_text(other))),
        }
    }

    fn parameters(&self) -> Option<&Value> {
        Some(self)
    }
}

/// The messages of such a request, of which nothing is copied.
impl IntoRequest for Vec<Value> {
    fn into_request(self, request: &mut Request) {
        IntoRequest::into_request(Value::Array(self), request);
    }
}

/// One message of the user, which others may hold too.
impl IntoRequest for Arc<str> {
    fn into_request(self, request: &mut Request) {
        request.messages.push(Message::text(Role::User, self));
    }
}

/// One message of the user.
impl IntoRequest for &String {
    fn into_request(self, request: &mut Request) {
        IntoRequest::into_request(self.as_str(), request);
    }
}

/// What has no messages in it is one message of unknown shape, and never lost.
fn unread(text: RawText) -> Message {
    Message { role: Role::User, parts: vec![Part::Other(text)] }
}
