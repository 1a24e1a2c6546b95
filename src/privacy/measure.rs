//! What may be told of content: digests and lengths, or lengths alone where no digest may leave.
//!
//! One place for the recorder and for the stage, so that equal content has equal digests through both.

use super::c1::{self, Hasher, RequestDigests};
use crate::event::{Arguments, Input, Measure, Message, Output, RawText, Request, ResultContent};

/// The most messages, answers and blobs that one span tells of. Of a longer history the newest are told.
pub(super) const MAX_TOLD: usize = 512;

/// A request told whole.
pub(crate) fn keyframe(hasher: Option<&Hasher>, request: &Request) -> Input {
    match hasher {
        Some(hasher) => told(c1::request(hasher, request), None),
        None => undigested_request(request),
    }
}

/// The messages after the first `known` of them, or, where none are known, the newest of them all.
pub(super) fn told(digests: RequestDigests, known: Option<usize>) -> Input {
    let total = digests.items.len();
    let known = known.filter(|known| total.saturating_sub(*known) <= MAX_TOLD);
    let is_keyframe = known.is_none();
    let first = known.unwrap_or_else(|| total.saturating_sub(MAX_TOLD));
    Input {
        prefix: known.and_then(|place| digests.heads.get(place).copied()),
        chain: whole_chain(&digests),
        items: digests.items.into_iter().skip(first).collect(),
        omitted: (is_keyframe && first > 0).then_some(first as u64),
        system: if is_keyframe { digests.system } else { Measure::default() },
        tools: if is_keyframe { digests.tools } else { None },
        blobs: digests.blobs.into_iter().skip(first).flatten().take(MAX_TOLD).collect(),
    }
}

/// The chain of all messages, where each has a digest.
pub(super) fn whole_chain(digests: &RequestDigests) -> Option<crate::event::Digest> {
    digests.heads.last().copied().filter(|_| digests.heads.len() > digests.items.len())
}

/// Where no digest may leave, lengths still may: they come with digests that are thrown away.
fn undigested_request(request: &Request) -> Input {
    let mut input = told(c1::request(&Hasher::sha256(), request), None);
    input.items.iter_mut().for_each(|item| item.digest = None);
    let system = Measure { digest: None, ..input.system };
    Input { chain: None, system, tools: None, blobs: Vec::new(), ..input }
}

/// What a model answered.
pub(crate) fn answer(hasher: Option<&Hasher>, answer: &[Message]) -> Output {
    let Output { mut items, mut blobs } = c1::answer(hasher.unwrap_or(&Hasher::sha256()), answer);
    items.truncate(MAX_TOLD);
    blobs.truncate(MAX_TOLD);
    if hasher.is_none() {
        items.iter_mut().for_each(|item| item.digest = None);
        blobs.clear();
    }
    Output { items, blobs }
}

/// What a tool was called with.
pub(crate) fn arguments(hasher: Option<&Hasher>, arguments: &RawText) -> Arguments {
    match (hasher, arguments.expose()) {
        (Some(hasher), Some(text)) => c1::arguments(hasher, text),
        _ => Arguments { length: Some(arguments.len() as u64), ..Arguments::default() },
    }
}

/// What a tool returned.
pub(crate) fn result(hasher: Option<&Hasher>, result: &ResultContent) -> Measure {
    match hasher {
        Some(hasher) => c1::result(hasher, result),
        None => Measure { digest: None, ..c1::result(&Hasher::sha256(), result) },
    }
}
