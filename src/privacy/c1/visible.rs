//! Model-visible items, one for each element of a provider's list.

use super::ahead::Ahead;
use super::message::{item, result_item};
use super::{Hasher, arguments, canonical, part};
use crate::event::{Item, ItemPart, Message, Part, PartKind, ResultContent};

/// The item of a message that is one element of a list, and the digests of its parts. The digest of a tool's result does
/// not depend on where in the list its call stands, so that equal elements are equal wherever they stand.
///
/// Without a hasher the lengths alone.
pub fn visible(hasher: Option<&Hasher>, message: &Message) -> (Item, Vec<ItemPart>) {
    let plain = Hasher::sha256();
    let with = &Ahead::nothing(hasher.unwrap_or(&plain));
    let (mut item, _) = match message.parts.as_slice() {
        [Part::ToolResult { content, .. }] => result_item(with, None, content),
        parts => item(with, message.role, parts),
    };
    let mut parts = Vec::with_capacity(message.parts.len());
    message.parts.iter().for_each(|part| push(with, part, &mut parts));
    if hasher.is_none() {
        item.digest = None;
        parts.iter_mut().for_each(|part| part.digest = None);
    }
    (item, parts)
}

fn push(with: &Ahead<'_>, part: &Part, parts: &mut Vec<ItemPart>) {
    let kind = match part {
        Part::ToolCall { arguments: text, .. } => {
            let is_json = text.expose().is_some_and(|text| canonical(text).is_some());
            let kind = if is_json { PartKind::Json } else { PartKind::Text };
            let digest = text.expose().and_then(|text| arguments(with.hasher(), text).digest);
            return parts.push(ItemPart { kind, digest, length: text.len() as u64 });
        }
        Part::ToolResult { content: ResultContent::Parts(content), .. } => {
            return content.iter().for_each(|part| push(with, part, parts));
        }
        Part::ToolResult { content: content @ ResultContent::Text(_), .. } => {
            let (digest, length) = (part::content(with, content, 0), part::content_length(content));
            return parts.push(ItemPart { kind: PartKind::Text, digest, length });
        }
        Part::Text(_) | Part::Reasoning(_) => PartKind::Text,
        Part::Encrypted(_) => PartKind::Encoded,
        Part::Other(_) => PartKind::Json,
        Part::Blob(_) | Part::Reference(_) => PartKind::Reference,
    };
    parts.push(ItemPart { kind, digest: part::part(with, part, 0), length: part::length(part) });
}
