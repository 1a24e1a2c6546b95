//! What a caller can hand over as a model's input.

use serde_json::Value;

use crate::event::{Message, Request, Role, shape};

/// Input of a model. Owned values are moved where they can be, borrowed ones copied.
pub trait IntoRequest {
    /// Adds it to what the model is sent.
    fn into_request(self, request: &mut Request);
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
        shape::request(self).into_request(request);
    }
}

/// The messages of such a request.
impl IntoRequest for &[Value] {
    fn into_request(self, request: &mut Request) {
        request.messages.extend(shape::messages(self));
    }
}

/// The messages of such a request.
impl IntoRequest for &Vec<Value> {
    fn into_request(self, request: &mut Request) {
        self.as_slice().into_request(request);
    }
}
