//! Ids for what a recording names by texts: hashes of the names, so that a recording read twice tells the same twice.

use bytestring::ByteString;
use smallvec::SmallVec;

use crate::event::{CallId, CallKind, Key, KeyIdentity, ProducerId, Scope, SpanId, SpanIds, TraceId};
use crate::privacy::c1::Hasher;

/// Which spans share a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TracePer {
    /// Those of a turn.
    #[default]
    Turn,
    /// Those of the whole rollout.
    Rollout,
}

pub(in crate::import) fn producer(bundle: &str) -> ProducerId {
    ProducerId::from(u128::from_be_bytes(hash("producer", &[bundle])))
}

/// The key of a call. Ids are those of a thread: another thread may use them again.
pub(in crate::import) fn key(scope: &Scope, kind: CallKind, id: &str) -> Key {
    // A turn's id is part of the path already.
    let path = [&*scope.rollout, &*scope.thread, kind.default_operation(), id];
    let id = CallId::from(u128::from_be_bytes(hash("call", &path)));
    Key { kind, id: KeyIdentity::Call(id), occurrence: 0 }
}

/// The key of a later call that has the id of one before it: a thread may use its ids again too.
pub(in crate::import) fn again(key: Key, uses: u32) -> Key {
    match key.id {
        KeyIdentity::Call(id) if uses > 0 => {
            let id = CallId::from(u128::from_be_bytes(hash("again", &[&id.to_string(), &uses.to_string()])));
            Key { id: KeyIdentity::Call(id), ..key }
        }
        _ => key,
    }
}

/// The span of a call, and the one it is a child of.
pub(in crate::import) fn span(scope: &Scope, key: Key, parent: Option<Key>, per: TracePer) -> Option<SpanIds> {
    let trace = match per {
        TracePer::Turn => hash("trace", &[&scope.rollout, &scope.thread, &scope.turn]),
        TracePer::Rollout => hash("trace", &[&scope.rollout]),
    };
    Some(SpanIds {
        trace: TraceId::from_bytes(trace)?,
        span: span_of(key)?,
        parent: parent.and_then(span_of),
        parent_is_remote: false,
    })
}

/// The span of a call that is a child of another span, in its trace.
pub(in crate::import) fn span_under(parent: SpanIds, key: Key) -> Option<SpanIds> {
    Some(SpanIds { span: span_of(key)?, parent: Some(parent.span), ..parent })
}

fn span_of(key: Key) -> Option<SpanId> {
    let KeyIdentity::Call(id) = key.id else { return None };
    SpanId::from_bytes(id.as_u128().to_be_bytes().first_chunk().copied()?)
}

/// A UUID as a number (RFC 9562); nothing for any other text.
pub(in crate::import) fn uuid(text: &str) -> Option<u128> {
    let mut groups = text.split('-');
    let mut number = 0;
    for length in [8, 4, 4, 4, 12] {
        for digit in groups.next().filter(|group| group.len() == length)?.chars() {
            number = number << 4 | u128::from(digit.to_digit(16)?);
        }
    }
    groups.next().is_none().then_some(number)
}

fn hash(what: &str, texts: &[&str]) -> [u8; 16] {
    // Put together first: what is hashed in one piece is hashed sooner.
    let mut path = SmallVec::<[u8; 256]>::new();
    path.extend_from_slice(b"veilspan/codex/1\0");
    for text in [what].iter().chain(texts) {
        path.extend_from_slice(&(text.len() as u64).to_be_bytes());
        path.extend_from_slice(text.as_bytes());
    }
    Hasher::sha256().digest(&[&path]).bytes.first_chunk().copied().unwrap_or_default()
}

/// The word for what is not known.
pub(in crate::import) const UNKNOWN: ByteString = ByteString::from_static("unknown");
