//! The parts of messages as the conventions' JSON schemas have them (v1.41).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::json::{Draft, is_structured};
use super::messages;
use super::shower::Shower;
use crate::event::{Part, RawBytes, RawText, ResultContent};
use crate::privacy::level::Level;
use crate::privacy::preview;

/// Tool results in tool results are followed this far.
const MAX_NESTING: usize = 16;

/// A part, of which `level` may leave. Nothing of a blob that only the provider can read.
pub(super) fn part(shower: Shower<'_>, level: Level, part: &Part, nesting: usize) -> Option<Draft> {
    let mut draft = Draft::default();
    match part {
        Part::Text(text) => simple(&mut draft, "text", shower.content(level, text)),
        Part::Reasoning(text) => simple(&mut draft, "reasoning", shower.content(level, text)),
        Part::ToolCall { id, name, arguments } => {
            draft.fixed(r#"{"type":"tool_call""#);
            put_id(&mut draft, shower, level, id.as_ref());
            draft.fixed(r#","name":"#);
            draft.text(shower.content(level, name));
            draft.fixed(r#","arguments":"#);
            draft.value(shower.content(level, arguments));
            draft.fixed("}");
        }
        Part::ToolResult { call_id, content } => {
            draft.fixed(r#"{"type":"tool_call_response""#);
            put_id(&mut draft, shower, level, call_id.as_ref());
            draft.fixed(r#","response":"#);
            draft.append(response(shower, level, content, nesting + 1));
            draft.fixed("}");
        }
        Part::Blob(bytes) => blob(&mut draft, level, bytes),
        Part::Encrypted(_) => return None,
        Part::Reference(text) => {
            draft.fixed(r#"{"type":"uri","modality":"unknown","uri":"#);
            draft.text(shower.content(level, text));
            draft.fixed("}");
        }
        Part::Other(json) => {
            let stand_in = json.expose().filter(|said| stands_for_a_part(level, said));
            let shown = stand_in.map_or_else(|| shower.content(level, json), Cow::Borrowed);
            if stand_in.is_some() || is_generic_part(&shown) {
                draft.value(shown);
            } else {
                // Its keys are in order, so that reading and writing it again changes nothing.
                draft.fixed(r#"{"content":"#);
                draft.text(shown);
                draft.fixed(r#","type":"other"}"#);
            }
        }
    }
    Some(draft)
}

/// What was said, of no known kind: a text, or parts in the place of one.
pub(super) fn said(shower: Shower<'_>, level: Level, content: &ResultContent) -> Vec<Draft> {
    match content {
        ResultContent::Text(text) => {
            let mut draft = Draft::default();
            simple(&mut draft, "text", shower.content(level, text));
            vec![draft]
        }
        ResultContent::Parts(parts) => parts.iter().filter_map(|inner| part(shower, level, inner, 1)).collect(),
    }
}

/// What something that is no tool was told to do, as a call of what does that.
pub(super) fn call(shower: Shower<'_>, level: Level, name: &str, content: &ResultContent) -> Draft {
    let mut draft = Draft::default();
    draft.fixed(r#"{"type":"tool_call","name":"#);
    draft.word(name);
    draft.fixed(r#","arguments":"#);
    match content {
        ResultContent::Text(text) => draft.value(shower.content(level, text)),
        ResultContent::Parts(_) => draft.append(response(shower, level, content, 1)),
    }
    draft.fixed("}");
    draft
}

/// What came of it.
pub(super) fn answer(shower: Shower<'_>, level: Level, content: &ResultContent) -> Draft {
    let mut draft = Draft::default();
    draft.fixed(r#"{"type":"tool_call_response","response":"#);
    draft.append(response(shower, level, content, 1));
    draft.fixed("}");
    draft
}

/// What a tool returned: a text, or an array of parts.
pub(super) fn response(shower: Shower<'_>, level: Level, content: &ResultContent, nesting: usize) -> Draft {
    let mut draft = Draft::default();
    match content {
        ResultContent::Text(text) => draft.text(shower.content(level, text)),
        ResultContent::Parts(_) if nesting > MAX_NESTING => draft.word("<redacted>"),
        ResultContent::Parts(parts) => {
            draft.fixed("[");
            draft.append(Draft::elements(parts.iter().filter_map(|inner| part(shower, level, inner, nesting))));
            draft.fixed("]");
        }
    }
    draft
}

fn simple(draft: &mut Draft, kind: &str, content: Cow<'_, str>) {
    draft.fixed(r#"{"type":"#);
    draft.word(kind);
    draft.fixed(r#","content":"#);
    draft.text(content);
    draft.fixed("}");
}

fn put_id(draft: &mut Draft, shower: Shower<'_>, level: Level, id: Option<&RawText>) {
    if let Some(id) = id {
        draft.fixed(r#","id":"#);
        draft.text(shower.content(level, id));
    }
}

/// Bytes as they are leave at `full` alone: no detector can look into an image. Otherwise a part tells that they were there.
fn blob(draft: &mut Draft, level: Level, bytes: &RawBytes) {
    match bytes.expose() {
        Some(exposed) if level == Level::Full => {
            draft.fixed(r#"{"type":"blob","modality":"#);
            draft.word(modality(exposed));
            draft.fixed(r#","content":"#);
            draft.text(Cow::Owned(STANDARD.encode(exposed)));
        }
        // Its keys are in order, so that reading and writing it again changes nothing.
        exposed => {
            draft.fixed("{");
            if level > Level::None {
                draft.fixed(&format!(r#""length":{},"#, bytes.len()));
            }
            draft.fixed(r#""modality":"#);
            draft.word(exposed.map_or("unknown", modality));
            draft.fixed(r#","type":"redacted""#);
        }
    }
    draft.fixed("}");
}

/// What the first bytes of a file tell of it.
fn modality(bytes: &[u8]) -> &'static str {
    const IMAGES: [&[u8]; 4] = [b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM"];
    const SOUNDS: [&[u8]; 4] = [b"ID3", b"OggS", b"fLaC", b"\xff\xfb"];
    let riff = bytes.get(8..12).filter(|_| bytes.starts_with(b"RIFF"));
    match riff {
        Some(b"WEBP") => "image",
        Some(b"WAVE") => "audio",
        Some(b"AVI ") => "video",
        _ if IMAGES.iter().any(|magic| bytes.starts_with(magic)) => "image",
        _ if SOUNDS.iter().any(|magic| bytes.starts_with(magic)) => "audio",
        _ if bytes.get(4..8) == Some(b"ftyp") => "video",
        _ if bytes.starts_with(b"%PDF") => "document",
        _ => "unknown",
    }
}

/// Whether this is what is shown here instead of a part: who veils what is veiled already changes nothing. It says what kind of
/// part it was, and where `level` lets that leave, how long.
fn stands_for_a_part(level: Level, json: &str) -> bool {
    let tells_length = level > Level::None;
    let between = |begin, end| json.strip_prefix(begin)?.strip_suffix(end);
    if let Some(content) = between(r#"{"content":""#, r#"","type":"other"}"#) {
        return content == "<redacted>" || tells_length && preview::is_stand_in(content);
    }
    let Some(blob) = between("{", r#"","type":"redacted"}"#) else { return json == messages::TRUNCATED };
    let with_length = blob.strip_prefix(r#""length":"#).filter(|_| tells_length).and_then(|rest| rest.split_once(','));
    let modality = match with_length {
        Some((length, rest)) if length.len() <= 10 && length.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        Some(_) => return false,
        None => blob,
    };
    let modality = modality.strip_prefix(r#""modality":""#);
    modality.is_some_and(|kind| matches!(kind, "image" | "audio" | "video" | "document" | "unknown"))
}

/// Whether a text is an object that says by its type what it is.
fn is_generic_part(json: &str) -> bool {
    let has_type = |value: serde_json::Value| value.get("type").is_some_and(serde_json::Value::is_string);
    is_structured(json) && serde_json::from_str(json).is_ok_and(has_type)
}
