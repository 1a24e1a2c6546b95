//! To which classes a part of a message belongs. What belongs to several is what the strictest of them lets leave.

use super::c1::Piece;
use super::level::Level;
use super::policy::Levels;
use crate::event::{CallKind, Message, Part, Role};
use crate::semconv::Field;

/// What a message of either direction may be made of.
pub(super) const MESSAGES: &[Field] =
    &[Field::System, Field::Prompts, Field::Completions, Field::Reasoning, Field::ToolArguments, Field::ToolResults];

/// What a message stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// What a model was sent: whoever said it first, it is a prompt now.
    ToModel,
    /// What a model answered.
    ByModel,
}

/// The level of a part of a message of this role.
pub(super) fn level(levels: &Levels, said: Said, role: Role, part: &Part) -> Level {
    let whole = whole(said);
    let by_role = match (said, role) {
        (Said::ToModel, Role::System | Role::Developer) => Field::System,
        (Said::ToModel, Role::Assistant) => Field::Completions,
        (Said::ToModel, Role::Tool) => Field::ToolResults,
        _ => whole,
    };
    let by_kind = match part {
        Part::Reasoning(_) | Part::Encrypted(_) => Field::Reasoning,
        Part::ToolCall { .. } => Field::ToolArguments,
        Part::ToolResult { .. } => Field::ToolResults,
        Part::Text(_) | Part::Blob(_) | Part::Reference(_) | Part::Other(_) => whole,
    };
    levels.of_all(&[whole, by_role, by_kind])
}

/// The level of some parts of a message: that of the most private of them.
pub(super) fn level_of_all<'p>(
    levels: &Levels,
    said: Said,
    role: Role,
    parts: impl IntoIterator<Item = &'p Part>,
) -> Level {
    parts.into_iter().map(|part| level(levels, said, role, part)).min().unwrap_or(Level::Full)
}

/// For each item that [`c1`](super::c1) makes of these messages whether its digest and its length may not leave.
pub(super) fn hidden(levels: &Levels, said: Said, messages: &[Message]) -> Vec<bool> {
    use super::c1::Calls;
    let mut calls = Calls::default();
    let mut hidden = Vec::with_capacity(messages.len());
    for message in messages {
        calls.pieces(message, |piece| hidden.push(is_hidden(levels, said, &piece)));
    }
    hidden
}

/// Whether digest and length of the item of this piece may not leave.
pub(super) fn is_hidden(levels: &Levels, said: Said, piece: &Piece<'_>) -> bool {
    // Encrypted blobs are no part of an item's digest, nor of its length.
    let is_measured = |part: &&Part| !matches!(part, Part::Encrypted(_) | Part::ToolResult { .. });
    let level = match piece {
        Piece::Result { .. } => levels.of_all(&[whole(said), Field::ToolResults]),
        Piece::Rest { role, parts } => level_of_all(levels, said, *role, parts.iter().filter(is_measured)),
    };
    level == Level::None
}

const fn whole(said: Said) -> Field {
    match said {
        Said::ToModel => Field::Prompts,
        Said::ByModel => Field::Completions,
    }
}

/// The classes of the texts that a call of this kind is given.
pub(super) const fn given(kind: CallKind) -> &'static [Field] {
    match kind {
        CallKind::Tool | CallKind::Approval | CallKind::CodeCell | CallKind::Terminal => &[Field::ToolArguments],
        _ => &[Field::Prompts],
    }
}

/// The classes of the texts that it returns.
pub(super) const fn returned(kind: CallKind) -> &'static [Field] {
    match kind {
        CallKind::Tool | CallKind::Retrieval | CallKind::Memory | CallKind::CodeCell | CallKind::Terminal => {
            &[Field::ToolResults]
        }
        CallKind::Approval | CallKind::Admission | CallKind::Embeddings => &[Field::Prompts],
        _ => &[Field::Completions],
    }
}
