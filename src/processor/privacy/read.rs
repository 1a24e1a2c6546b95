//! Content of the conventions, from the value that a span carries it in.
//!
//! Each function gives nothing where the content is not what its name promises: a truncated JSON text above all, which
//! must not be taken for what somebody said.

use super::value::JsonText;
use crate::event::shape::{self, borrowed, genai};
use crate::event::{Message, RawText, Request, ResultContent, Role, ToolDefinition};
use crate::json::Node;
use crate::otlp::AnyView;
use crate::privacy::told_reasons;

pub(super) fn messages(value: &AnyView<'_>) -> Option<Vec<Message>> {
    json(value, |value| genai::messages(value))
}

pub(super) fn system(value: &AnyView<'_>) -> Option<Vec<RawText>> {
    match plain(value) {
        Some(text) => Some(vec![RawText::from(text)]),
        None => json(value, |value| genai::system(value)),
    }
}

pub(super) fn tools(value: &AnyView<'_>) -> Option<Vec<ToolDefinition>> {
    json(value, |value| genai::tools(value))
}

/// Definitions in a list, each as such or as JSON text.
pub(super) fn listed_tools(value: &AnyView<'_>) -> Option<Vec<ToolDefinition>> {
    let definition = |listed: Node<'_>| match listed.as_str() {
        Some(text) => borrowed::read(text, |one| shape::tool(one)),
        None => Some(shape::tool(listed)),
    };
    json(
        value,
        |list| {
            if list.is_array() { list.elements().map(definition).collect() } else { Some(genai::tools(list)) }
        },
    )?
}

/// The older name of what a model was sent: a text, messages, or a whole request.
pub(super) fn prompt(value: &AnyView<'_>) -> Option<Request> {
    match plain(value) {
        Some(text) => Some(Request { messages: vec![Message::text(Role::User, text)], ..Request::default() }),
        None => json(value, |value| shape::request(value))?,
    }
}

/// What a model answered, and for each message why it ended, as far as that is told in words.
pub(super) fn answer(value: &AnyView<'_>) -> Option<(Vec<Message>, Vec<String>)> {
    json(value, |value| (genai::messages(value), told_reasons(value)))
}

/// The older name of what a model answered: a text, messages, or a whole response.
pub(super) fn completion(value: &AnyView<'_>) -> Option<(Vec<Message>, Vec<String>)> {
    if let Some(text) = plain(value) {
        return Some((vec![Message::text(Role::Assistant, text)], Vec::new()));
    }
    json(value, |value| (shape::answer(value), told_reasons(value)))
}

/// A text as it is, and whether it is; anything else as JSON text, which nobody has sent so.
pub(super) fn arguments(value: &AnyView<'_>) -> Option<(RawText, bool)> {
    match value {
        AnyView::Text(text) => Some((RawText::from(*text), true)),
        value => any_json(value).map(|json| (json, false)),
    }
}

pub(super) fn result(value: &AnyView<'_>) -> Option<ResultContent> {
    arguments(value).map(|(text, _)| ResultContent::Text(text))
}

/// A text that is not meant to be JSON.
fn plain<'a>(value: &AnyView<'a>) -> Option<&'a str> {
    match value {
        AnyView::Text(text) if !text.trim_start().starts_with(['[', '{']) => Some(text),
        _ => None,
    }
}

/// What `then` makes of an array or an object, given as such or as text.
pub(super) fn json<R>(value: &AnyView<'_>, then: impl FnOnce(Node<'_>) -> R) -> Option<R> {
    match value {
        AnyView::Text(text) if plain(value).is_none() => borrowed::read(text, then),
        AnyView::Array(_) | AnyView::Map(_) => {
            let text = JsonText::of(value).ok()?;
            borrowed::read(&text, then)
        }
        _ => None,
    }
}

fn any_json(value: &AnyView<'_>) -> Option<RawText> {
    match value {
        AnyView::Bytes(_) | AnyView::Empty => None,
        value => JsonText::of(value).ok().map(|json| RawText::from(json.into_string())),
    }
}
