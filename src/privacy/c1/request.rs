//! What a model was sent and answered, as digests.

use smallvec::SmallVec;

use super::ahead::{Ahead, Made};
use super::json::escape::write_string;
use super::message::{ItemWithBlobs, item, result_item};
use super::normal::{Calls, Piece};
use super::wipe::WipedVec;
use super::{Chain, Hasher, canonical};
use crate::event::{Digest, Item, Measure, Message, Output, RawText, Request, ToolDefinition};

/// The digests of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestDigests {
    /// The system instructions, if the provider separates them.
    pub system: Measure,
    /// The tool definitions, if there are any.
    pub tools: Option<Digest>,
    /// The messages, oldest first, each tool result one of its own.
    pub items: Vec<Item>,
    /// The digests of each item's encrypted blobs.
    pub blobs: Vec<SmallVec<[Digest; 1]>>,
    /// The chain before the first item and after each, up to the first item whose digest is not known. Empty where
    /// already the digest of the system instructions or of the tools is not.
    pub heads: Vec<Digest>,
}

/// The digests of a request, its chain included.
pub fn request(hasher: &Hasher, request: &Request) -> RequestDigests {
    request_knowing(hasher, request, Made::NONE)
}

/// The same where some are made already.
pub(in crate::privacy) fn request_knowing(hasher: &Hasher, request: &Request, made: Made<'_>) -> RequestDigests {
    let system = system(hasher, &request.system);
    let tools = tools(hasher, &request.tools);
    let (mut items, mut blobs) =
        (Vec::with_capacity(request.messages.len()), Vec::with_capacity(request.messages.len()));
    each_item(hasher, &request.messages, made, |(item, of_item)| {
        items.push(item);
        blobs.push(of_item);
    });
    let is_known = |digest: Option<Digest>, is_absent: bool| digest.is_some() || is_absent;
    let mut heads = Vec::new();
    if is_known(system.digest, request.system.is_empty()) && is_known(tools, request.tools.is_empty()) {
        heads.reserve(items.len() + 1);
        let mut chain = Chain::new(hasher, system.digest.as_ref(), tools.as_ref());
        heads.push(chain.head());
        for item in &items {
            let Some(digest) = &item.digest else { break };
            chain.push(item.role, digest);
            heads.push(chain.head());
        }
    }
    RequestDigests { system, tools, items, blobs, heads }
}

/// The digests of an answer: one entry for each of its messages.
pub fn answer(hasher: &Hasher, messages: &[Message]) -> Output {
    answer_knowing(hasher, messages, Made::NONE)
}

/// The same where some are made already.
pub(in crate::privacy) fn answer_knowing(hasher: &Hasher, messages: &[Message], made: Made<'_>) -> Output {
    let mut output = Output::default();
    output.items.reserve(messages.len());
    each_item(hasher, messages, made, |(item, blobs)| {
        output.items.push(Measure { digest: item.digest, length: item.length, ..Measure::default() });
        output.blobs.extend(blobs);
    });
    output
}

fn each_item(hasher: &Hasher, messages: &[Message], made: Made<'_>, each: impl FnMut(ItemWithBlobs)) {
    let (mut calls, mut pieces) = (Calls::default(), SmallVec::<[Piece<'_>; 4]>::new());
    messages.iter().for_each(|message| calls.pieces(message, |piece| pieces.push(piece)));
    let ahead = Ahead::of(hasher, &pieces, made);
    pieces.into_iter().map(|piece| of_piece(&ahead, piece)).for_each(each);
}

/// The item of a piece of a message.
fn of_piece(ahead: &Ahead<'_>, piece: Piece<'_>) -> ItemWithBlobs {
    match piece {
        Piece::Result { ordinal, content } => result_item(ahead, ordinal, content),
        Piece::Rest { role, parts } => item(ahead, role, parts),
    }
}

/// The digest and the length of system instructions: of their parts joined by a blank line, empty ones beside others
/// left out.
pub fn system(hasher: &Hasher, parts: &[RawText]) -> Measure {
    if parts.is_empty() {
        return Measure::default();
    }
    let mut hashing = hasher.begin();
    let mut length = 0;
    let mut is_known = true;
    for part in parts.iter().filter(|part| !part.is_empty()) {
        if length > 0 {
            hashing.update(b"\n\n");
            length += 2;
        }
        match part.expose() {
            Some(text) => hashing.update(text.as_bytes()),
            None => is_known = false,
        }
        length += part.len() as u64;
    }
    Measure { digest: is_known.then(|| hashing.finish()), length: Some(length), ..Measure::default() }
}

/// The digest of tool definitions, which does not depend on their order. Missing where there are none, and where
/// some content was not taken.
pub fn tools(hasher: &Hasher, tools: &[ToolDefinition]) -> Option<Digest> {
    if tools.is_empty() {
        return None;
    }
    let mut by_name = SmallVec::<[(&str, &ToolDefinition); 32]>::new();
    for tool in tools {
        by_name.push((tool.name.expose()?, tool));
    }
    by_name.sort_by_key(|(name, _)| *name);
    let mut hashing = hasher.begin();
    hashing.update(b"c1/tools\0");
    for (name, tool) in by_name {
        hashing.update(&definition(hasher, name, tool)?.bytes);
    }
    Some(hashing.finish())
}

/// The digest of one definition: an object whose keys are in order as written here.
fn definition(hasher: &Hasher, name: &str, tool: &ToolDefinition) -> Option<Digest> {
    let mut head = WipedVec::default();
    head.push(b'{');
    if let Some(description) = &tool.description {
        head.extend_from_slice(b"\"description\":");
        write_string(description.expose()?, &mut head);
        head.push(b',');
    }
    head.extend_from_slice(b"\"name\":");
    write_string(name, &mut head);
    let Some(parameters) = &tool.parameters else { return Some(hasher.digest(&[head.as_slice(), b"}"])) };
    let parameters = parameters.expose()?;
    let canonical = canonical(parameters);
    let parameters = canonical.as_ref().map_or(parameters.as_bytes(), |canonical| canonical.as_bytes());
    Some(hasher.digest(&[head.as_slice(), b",\"parameters\":", parameters, b"}"]))
}
