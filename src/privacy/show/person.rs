//! What a person looks for first: the last thing that the user said, the beginning of an answer.

use std::borrow::Cow;

use super::shower::Shower;
use crate::event::{Message, Part, RawText, ResultContent, Role};
use crate::privacy::classes::{self, Said};
use crate::privacy::level::Level;

/// A text, and how much of it may leave.
pub(super) struct Found<'t> {
    pub(super) text: Cow<'t, str>,
    pub(super) level: Level,
}

/// What the user said last; where the user said nothing, what was said last.
pub(super) fn input<'t>(shower: Shower<'_>, messages: &'t [Message]) -> Option<Found<'t>> {
    let texts = |message: &'t Message| of_message(shower, Said::ToModel, message);
    let by_user = messages.iter().rev().filter(|message| message.role == Role::User).find_map(texts);
    by_user.or_else(|| messages.iter().rev().find_map(texts))
}

/// The text of an answer, or the first call that it makes.
pub(super) fn output<'t>(shower: Shower<'_>, messages: &'t [Message]) -> Option<Found<'t>> {
    let text = messages.iter().find_map(|message| of_message(shower, Said::ByModel, message));
    text.or_else(|| {
        let parts = messages.iter().flat_map(|message| message.parts.iter().map(move |part| (message.role, part)));
        let mut calls = parts.filter_map(|(role, part)| match part {
            Part::ToolCall { name, arguments, .. } => Some((role, part, name.expose()?, arguments.expose()?)),
            _ => None,
        });
        let (role, part, name, arguments) = calls.next()?;
        let level = classes::level(shower.policy.levels(), Said::ByModel, role, part);
        Some(Found { text: Cow::Owned(format!("{name} {arguments}")), level })
    })
}

/// What a tool returned, without what is no text in it.
pub(super) fn result(content: &ResultContent) -> Option<Cow<'_, str>> {
    match content {
        ResultContent::Text(text) => text.expose().map(Cow::Borrowed),
        ResultContent::Parts(parts) => joined(parts.iter().filter_map(text_of)),
    }
}

/// System instructions, as they are digested: joined by a blank line.
pub(super) fn system(parts: &[RawText]) -> Option<Cow<'_, str>> {
    let mut texts = parts.iter().filter_map(RawText::expose).filter(|text| !text.is_empty());
    let first = texts.next()?;
    let rest: Vec<&str> = texts.collect();
    Some(if rest.is_empty() { Cow::Borrowed(first) } else { Cow::Owned([&[first], &*rest].concat().join("\n\n")) })
}

fn of_message<'t>(shower: Shower<'_>, said: Said, message: &'t Message) -> Option<Found<'t>> {
    let text = joined(message.parts.iter().filter_map(text_of))?;
    let texts = message.parts.iter().filter(|part| text_of(part).is_some());
    let level = classes::level_of_all(shower.policy.levels(), said, message.role, texts);
    Some(Found { text, level })
}

fn text_of(part: &Part) -> Option<&str> {
    match part {
        Part::Text(text) => text.expose(),
        _ => None,
    }
}

/// The texts that are not empty, a line each; the empty text where all are.
fn joined<'t>(texts: impl Iterator<Item = &'t str>) -> Option<Cow<'t, str>> {
    let mut found: Option<Cow<'t, str>> = None;
    for text in texts {
        found = Some(match found {
            Some(before) if text.is_empty() => before,
            Some(before) if !before.is_empty() => Cow::Owned(format!("{before}\n{text}")),
            _ => Cow::Borrowed(text),
        });
    }
    found
}
