//! Content of the conventions, from the value that a span carries it in.
//!
//! Each function gives nothing where the content is not what its name promises: a truncated JSON text above all, which
//! must not be taken for what somebody said.

use super::value::{to_json, to_tree};
use crate::event::shape::tree::Tree;
use crate::event::shape::{self, genai};
use crate::event::{Message, RawText, Request, ResultContent, Role, ToolDefinition};
use crate::otlp::AnyView;
use crate::privacy::told_reasons;

pub(super) fn messages(value: &AnyView<'_>) -> Option<Vec<Message>> {
    json(value).map(genai::messages)
}

pub(super) fn system(value: &AnyView<'_>) -> Option<Vec<RawText>> {
    match plain(value) {
        Some(text) => Some(vec![RawText::from(text)]),
        None => json(value).map(genai::system),
    }
}

pub(super) fn tools(value: &AnyView<'_>) -> Option<Vec<ToolDefinition>> {
    json(value).map(genai::tools)
}

/// Definitions in a list, each as such or as JSON text.
pub(super) fn listed_tools(value: &AnyView<'_>) -> Option<Vec<ToolDefinition>> {
    let definition = |listed: Tree<'_>| match &listed {
        Tree::String(text) => Some(genai::tools(Tree::array(vec![Tree::parse(text.as_str())?]))),
        _ => Some(genai::tools(Tree::array(vec![listed]))),
    };
    match json(value)? {
        Tree::Array { elements, .. } => {
            let definitions: Option<Vec<Vec<ToolDefinition>>> = elements.into_iter().map(definition).collect();
            Some(definitions?.into_iter().flatten().collect())
        }
        other => Some(genai::tools(other)),
    }
}

/// The older name of what a model was sent: a text, messages, or a whole request.
pub(super) fn prompt(value: &AnyView<'_>) -> Option<Request> {
    match plain(value) {
        Some(text) => Some(Request { messages: vec![Message::text(Role::User, text)], ..Request::default() }),
        None => shape::request(json(value)?),
    }
}

/// What a model answered, and for each message why it ended, as far as that is told in words.
pub(super) fn answer(value: &AnyView<'_>) -> Option<(Vec<Message>, Vec<String>)> {
    let json = json(value)?;
    let reasons = told_reasons(&json);
    Some((genai::messages(json), reasons))
}

/// The older name of what a model answered: a text, messages, or a whole response.
pub(super) fn completion(value: &AnyView<'_>) -> Option<(Vec<Message>, Vec<String>)> {
    if let Some(text) = plain(value) {
        return Some((vec![Message::text(Role::Assistant, text)], Vec::new()));
    }
    let json = json(value)?;
    let reasons = told_reasons(&json);
    Some((shape::answer(json), reasons))
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

/// An array or an object, given as such or as text.
pub(super) fn json<'a>(value: &AnyView<'a>) -> Option<Tree<'a>> {
    match value {
        AnyView::Text(text) if plain(value).is_none() => Tree::parse(text),
        AnyView::Array(_) | AnyView::Map(_) => to_tree(value).ok(),
        _ => None,
    }
}

fn any_json(value: &AnyView<'_>) -> Option<RawText> {
    match value {
        AnyView::Bytes(_) | AnyView::Empty => None,
        value => to_json(value).ok().map(|json| RawText::from(json.to_string())),
    }
}
