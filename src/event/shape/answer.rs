//! What a model answered.

use super::node::{Json, Look, Node};
use super::{items, message};
use crate::event::{Message, Role};

/// The messages of a provider's response body, one for each choice; or of a bare array of messages.
pub fn answer(mut value: impl Json) -> Vec<Message> {
    let has_choices = value.look().get("choices").is_some_and(Look::is_array);
    if has_choices {
        return value.member("choices").into_iter().flat_map(Node::elements).map(choice).collect();
    }
    if let Some(output) = value.member("output") {
        // A text would be read as the user's.
        if output.look().is_string() {
            return vec![Message::text(Role::Assistant, output.text())];
        }
        return items::list(output, true);
    }
    if value.look().is_null() {
        Vec::new()
    } else if value.look().is_array() {
        items::list(value, false)
    } else if value.look().is_string() {
        vec![Message::text(Role::Assistant, value.text())]
    } else {
        vec![message::message(value, Role::Assistant)]
    }
}

/// One of several answers: a message, or a bare text as completions have it.
fn choice(mut choice: impl Node) -> Message {
    if let Some(text) = choice.string("text") {
        return Message::text(Role::Assistant, text);
    }
    let inner = ["message", "delta"].into_iter().find_map(|key| choice.member(key));
    match inner {
        Some(inner) => message::message(inner, Role::Assistant),
        None => message::message(choice, Role::Assistant),
    }
}
