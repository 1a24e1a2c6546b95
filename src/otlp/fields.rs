//! The typed fields of a record, gathered from attributes in any order.

use std::str::FromStr;

use bytestring::ByteString;

use super::any::AnyView;
use super::decode::{NotACall, typed};
use crate::event::{Arguments, CallId, Digest, FromValue, Input, Item, Measure, Outcome, Output, Role};
use crate::semconv::{self, Attr, KeyId, Type};

/// What the `Core` attributes of a span say. A missing array is empty; the arrays of one list have to agree in length.
#[derive(Default)]
pub(super) struct Core {
    pub(super) rollout: Option<ByteString>,
    pub(super) thread: Option<ByteString>,
    pub(super) turn: Option<ByteString>,
    pub(super) tenant: Option<ByteString>,
    pub(super) call_id: Option<CallId>,
    pub(super) seq: Option<u64>,
    pub(super) seq_end: Option<u64>,
    pub(super) policy: Option<ByteString>,
    pub(super) outcome: Option<Outcome>,
    input_digests: Vec<Option<Digest>>,
    input_roles: Vec<Role>,
    input_lengths: Vec<Option<u64>>,
    input_part_kinds: Vec<ByteString>,
    input: Input,
    output_digests: Vec<Option<Digest>>,
    output_lengths: Vec<Option<u64>>,
    output_blobs: Vec<Digest>,
    arguments: Arguments,
    result: Measure,
}

impl Core {
    /// Takes one attribute.
    pub(super) fn set(&mut self, id: KeyId, value: &AnyView<'_>) -> Result<(), NotACall> {
        use semconv as s;
        match id {
            _ if id == s::ROLLOUT_ID.id() => self.rollout = Some(read(s::ROLLOUT_ID, value)?),
            _ if id == s::THREAD_ID.id() => self.thread = Some(read(s::THREAD_ID, value)?),
            _ if id == s::TURN_ID.id() => self.turn = Some(read(s::TURN_ID, value)?),
            _ if id == s::TENANT_ID.id() => self.tenant = Some(read(s::TENANT_ID, value)?),
            _ if id == s::CALL_ID.id() => self.call_id = Some(word(s::CALL_ID, value)?),
            _ if id == s::SEQ.id() => self.seq = Some(count(s::SEQ, value)?),
            _ if id == s::SEQ_END.id() => self.seq_end = Some(count(s::SEQ_END, value)?),
            _ if id == s::POLICY.id() => self.policy = Some(read(s::POLICY, value)?),
            _ if id == s::OUTCOME.id() => self.outcome = Some(word(s::OUTCOME, value)?),
            _ if id == s::INPUT_DIGESTS.id() => self.input_digests = list(s::INPUT_DIGESTS, value, place_of_digest)?,
            _ if id == s::INPUT_ROLES.id() => self.input_roles = list(s::INPUT_ROLES, value, role)?,
            _ if id == s::INPUT_LENGTHS.id() => self.input_lengths = list(s::INPUT_LENGTHS, value, place_of_length)?,
            _ if id == s::INPUT_PART_KINDS.id() => self.input_part_kinds = read(s::INPUT_PART_KINDS, value)?,
            _ if id == s::INPUT_PREFIX.id() => self.input.prefix = Some(word(s::INPUT_PREFIX, value)?),
            _ if id == s::INPUT_CHAIN.id() => self.input.chain = Some(word(s::INPUT_CHAIN, value)?),
            _ if id == s::INPUT_OMITTED.id() => self.input.omitted = Some(count(s::INPUT_OMITTED, value)?),
            _ if id == s::INPUT_BLOB_DIGESTS.id() => self.input.blobs = list(s::INPUT_BLOB_DIGESTS, value, digest)?,
            _ if id == s::SYSTEM_DIGEST.id() => self.input.system.digest = Some(word(s::SYSTEM_DIGEST, value)?),
            _ if id == s::SYSTEM_LENGTH.id() => self.input.system.length = Some(count(s::SYSTEM_LENGTH, value)?),
            _ if id == s::TOOLS_DIGEST.id() => self.input.tools = Some(word(s::TOOLS_DIGEST, value)?),
            _ if id == s::OUTPUT_DIGESTS.id() => self.output_digests = list(s::OUTPUT_DIGESTS, value, place_of_digest)?,
            _ if id == s::OUTPUT_LENGTHS.id() => self.output_lengths = list(s::OUTPUT_LENGTHS, value, place_of_length)?,
            _ if id == s::OUTPUT_BLOB_DIGESTS.id() => self.output_blobs = list(s::OUTPUT_BLOB_DIGESTS, value, digest)?,
            _ if id == s::TOOL_ARGUMENTS_DIGEST.id() => {
                self.arguments.digest = Some(word(s::TOOL_ARGUMENTS_DIGEST, value)?);
            }
            _ if id == s::TOOL_ARGUMENTS_EXACT.id() => {
                self.arguments.exact = Some(word(s::TOOL_ARGUMENTS_EXACT, value)?);
            }
            _ if id == s::TOOL_ARGUMENTS_LENGTH.id() => {
                self.arguments.length = Some(count(s::TOOL_ARGUMENTS_LENGTH, value)?);
            }
            _ if id == s::TOOL_RESULT_DIGEST.id() => self.result.digest = Some(word(s::TOOL_RESULT_DIGEST, value)?),
            _ if id == s::TOOL_RESULT_LENGTH.id() => self.result.length = Some(count(s::TOOL_RESULT_LENGTH, value)?),
            // What reduction writes is no part of a call.
            _ => {}
        }
        Ok(())
    }

    /// What an inference was sent, and what it answered.
    pub(super) fn into_inference(mut self) -> Result<(Input, Output), NotACall> {
        let count = [
            (semconv::INPUT_DIGESTS.key(), self.input_digests.len()),
            (semconv::INPUT_ROLES.key(), self.input_roles.len()),
            (semconv::INPUT_LENGTHS.key(), self.input_lengths.len()),
            (semconv::INPUT_PART_KINDS.key(), self.input_part_kinds.len()),
        ];
        let mut digests = self.input_digests.into_iter();
        let mut roles = self.input_roles.into_iter();
        let mut lengths = self.input_lengths.into_iter();
        let mut part_kinds = self.input_part_kinds.into_iter();
        self.input.items.extend((0..agreed(&count)?).map(|_| Item {
            digest: digests.next().flatten(),
            role: roles.next().unwrap_or(Role::Other),
            length: lengths.next().flatten(),
            part_kinds: part_kinds.next().unwrap_or_default(),
        }));

        let count = [
            (semconv::OUTPUT_DIGESTS.key(), self.output_digests.len()),
            (semconv::OUTPUT_LENGTHS.key(), self.output_lengths.len()),
        ];
        let mut digests = self.output_digests.into_iter();
        let mut lengths = self.output_lengths.into_iter();
        let item = |_| Measure { digest: digests.next().flatten(), length: lengths.next().flatten() };
        let items = (0..agreed(&count)?).map(item).collect();
        let output = Output { items, blobs: self.output_blobs };
        Ok((self.input, output))
    }

    /// What a tool was called with, and what it returned.
    pub(super) fn into_tool(self) -> (Arguments, Measure) {
        (self.arguments, self.result)
    }
}

/// The length that all arrays which are there have.
fn agreed(arrays: &[(&'static str, usize)]) -> Result<usize, NotACall> {
    let longest = arrays.iter().map(|(_, length)| *length).max().unwrap_or_default();
    match arrays.iter().find(|(_, length)| *length != 0 && *length != longest) {
        Some((key, _)) => Err(NotACall::Field(key)),
        None => Ok(longest),
    }
}

fn read<T: FromValue>(attr: Attr<T>, value: &AnyView<'_>) -> Result<T, NotACall> {
    let value = typed(attr.id().name().kind, value)?;
    value.as_ref().and_then(T::from_value).ok_or(NotACall::Field(attr.key()))
}

/// A text that stands for something else: an id, a digest, one of a few words.
fn word<T: FromStr>(attr: Attr<ByteString>, value: &AnyView<'_>) -> Result<T, NotACall> {
    debug_assert_eq!(attr.id().name().kind, Type::Text);
    match value {
        AnyView::Text(text) => text.parse().map_err(|_| NotACall::Field(attr.key())),
        _ => Err(NotACall::Field(attr.key())),
    }
}

fn count(attr: Attr<i64>, value: &AnyView<'_>) -> Result<u64, NotACall> {
    u64::try_from(read(attr, value)?).map_err(|_| NotACall::Field(attr.key()))
}

/// The elements of an array, each of which has to be of the right kind.
fn list<A, T>(
    attr: Attr<Vec<A>>,
    value: &AnyView<'_>,
    element: impl Fn(AnyView<'_>) -> Option<T>,
) -> Result<Vec<T>, NotACall> {
    let AnyView::Array(elements) = value else { return Err(NotACall::Field(attr.key())) };
    elements.clone().map(|view| element(view?).ok_or(NotACall::Field(attr.key()))).collect()
}

fn digest(view: AnyView<'_>) -> Option<Digest> {
    match view {
        AnyView::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// A digest, or `""`, which keeps the place of a missing one.
fn place_of_digest(view: AnyView<'_>) -> Option<Option<Digest>> {
    match view {
        AnyView::Text("") => Some(None),
        other => digest(other).map(Some),
    }
}

/// A length, or -1, which keeps the place of a missing one.
fn place_of_length(view: AnyView<'_>) -> Option<Option<u64>> {
    match view {
        AnyView::Int(length) => Some(u64::try_from(length).ok()),
        _ => None,
    }
}

fn role(view: AnyView<'_>) -> Option<Role> {
    match view {
        AnyView::Text(word) => Some(Role::from_word(word)),
        _ => None,
    }
}
