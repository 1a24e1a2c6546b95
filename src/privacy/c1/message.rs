//! Messages: their digests, and the items that are written of them.

use bytestring::ByteString;
use smallvec::SmallVec;

use super::ahead::Ahead;
use super::{Hasher, digest, normal, part};
use crate::event::{Digest, Item, Measure, Part, ResultContent, Role};

/// The digest of a message's parts, tool results included; missing where some content was not taken.
pub fn message(hasher: &Hasher, parts: &[Part]) -> Option<Digest> {
    of_parts(&Ahead::nothing(hasher), parts, 0)
}

/// The digest and the length of what a tool returned.
pub fn result(hasher: &Hasher, content: &ResultContent) -> Measure {
    result_of(&Ahead::nothing(hasher), content)
}

fn result_of(ahead: &Ahead<'_>, content: &ResultContent) -> Measure {
    let (digest, length) = (part::content(ahead, content, 0), part::content_length(content));
    Measure { digest, length: Some(length), ..Measure::default() }
}

/// The same of a text that stands elsewhere.
#[cfg(feature = "import")]
pub(in crate::privacy) fn result_text(hasher: &Hasher, text: &str) -> Measure {
    let is_taken = text.len() <= crate::event::RawText::MAX_BYTES;
    let digest = is_taken.then(|| digest::text(hasher, text));
    Measure { digest, length: Some(text.len() as u64), ..Measure::default() }
}

pub(super) fn of_parts(ahead: &Ahead<'_>, parts: &[Part], nesting: usize) -> Option<Digest> {
    let mut digests = SmallVec::<[Digest; 4]>::new();
    let mut is_text = false;
    for spoken in normal::spoken(parts) {
        is_text = matches!(spoken, Part::Text(_));
        digests.push(part::part(ahead, spoken, nesting)?);
    }
    Some(join(ahead.hasher(), &digests, is_text))
}

fn join(hasher: &Hasher, digests: &[Digest], is_text: bool) -> Digest {
    match digests {
        [text] if is_text => *text,
        _ => digest::message(hasher, digests),
    }
}

/// An item, and the digests of its encrypted blobs.
pub(in crate::privacy) type ItemWithBlobs = (Item, SmallVec<[Digest; 1]>);

/// The item of a tool result, which is a message of its own.
pub(super) fn result_item(ahead: &Ahead<'_>, ordinal: Option<u32>, content: &ResultContent) -> ItemWithBlobs {
    result_item_of(ahead.hasher(), ordinal, &result_of(ahead, content))
}

/// The same of a result that has been measured.
pub(in crate::privacy) fn result_item_of(hasher: &Hasher, ordinal: Option<u32>, told: &Measure) -> ItemWithBlobs {
    let Measure { digest, length, .. } = *told;
    let digest = digest.map(|content| digest::message(hasher, [&digest::result(hasher, ordinal, &content)]));
    let kind = if digest.is_some() { "tool_call_response" } else { part::OVERSIZE };
    (Item { digest, role: Role::Tool, length, part_kinds: ByteString::from_static(kind) }, SmallVec::new())
}

/// The item of a message without its tool results.
pub(super) fn item(ahead: &Ahead<'_>, role: Role, parts: &[Part]) -> ItemWithBlobs {
    item_and_texts_of(ahead, role, parts, |_| {})
}

/// The same, and what its texts are by themselves, in order. Some of its parts may have been hashed.
#[cfg(feature = "import")]
pub(in crate::privacy) fn item_and_texts(
    hasher: &Hasher,
    (role, parts): (Role, &[Part]),
    hashed: &[super::Hashed],
    text: impl FnMut(Measure),
) -> ItemWithBlobs {
    item_and_texts_of(&Ahead::knowing(hasher, role, parts, hashed), role, parts, text)
}

fn item_and_texts_of(ahead: &Ahead<'_>, role: Role, parts: &[Part], mut text: impl FnMut(Measure)) -> ItemWithBlobs {
    let mut digests = SmallVec::<[Digest; 4]>::new();
    let mut blobs = SmallVec::new();
    let mut kinds = SmallVec::<[&'static str; 8]>::new();
    let mut length = 0;
    let mut is_text = false;
    let mut is_known = true;
    for spoken in normal::without_results(parts) {
        let digest = part::part(ahead, spoken, 0);
        if let Part::Text(said) = spoken {
            text(Measure { digest, length: Some(said.len() as u64), ..Measure::default() });
        }
        kinds.push(if digest.is_some() { part::kind(spoken) } else { part::OVERSIZE });
        length += part::length(spoken);
        match (spoken, digest) {
            (Part::Encrypted(_), digest) => blobs.extend(digest),
            (_, Some(digest)) => {
                is_text = matches!(spoken, Part::Text(_));
                digests.push(digest);
            }
            (_, None) => is_known = false,
        }
    }
    let digest = is_known.then(|| join(ahead.hasher(), &digests, is_text));
    (Item { digest, role, length: Some(length), part_kinds: join_kinds(&kinds) }, blobs)
}

/// A message of more parts tells the kinds of the first ones.
const MAX_KINDS: usize = 32;

/// The kinds joined by `+`; what most messages have costs no allocation.
fn join_kinds(kinds: &[&'static str]) -> ByteString {
    let kinds = kinds.get(..MAX_KINDS).unwrap_or(kinds);
    match kinds {
        [] => ByteString::new(),
        [kind] => ByteString::from_static(kind),
        ["text", "tool_call"] => ByteString::from_static("text+tool_call"),
        ["reasoning", "text"] => ByteString::from_static("reasoning+text"),
        ["reasoning", "tool_call"] => ByteString::from_static("reasoning+tool_call"),
        ["tool_call", "tool_call"] => ByteString::from_static("tool_call+tool_call"),
        ["reasoning", "text", "tool_call"] => ByteString::from_static("reasoning+text+tool_call"),
        ["reasoning", "encrypted"] => ByteString::from_static("reasoning+encrypted"),
        ["reasoning", "encrypted", "text"] => ByteString::from_static("reasoning+encrypted+text"),
        ["reasoning", "encrypted", "tool_call"] => ByteString::from_static("reasoning+encrypted+tool_call"),
        ["encrypted", "text"] => ByteString::from_static("encrypted+text"),
        ["encrypted", "tool_call"] => ByteString::from_static("encrypted+tool_call"),
        _ => kinds.join("+").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_joined_alike_whether_or_not_they_are_common() {
        const KINDS: [&str; 5] = ["text", "reasoning", "encrypted", "tool_call", "blob"];
        for one in KINDS {
            assert_eq!(join_kinds(&[one]), one);
            for other in KINDS {
                assert_eq!(join_kinds(&[one, other]), [one, other].join("+"));
                for third in KINDS {
                    assert_eq!(join_kinds(&[one, other, third]), [one, other, third].join("+"));
                }
            }
        }
    }
}
