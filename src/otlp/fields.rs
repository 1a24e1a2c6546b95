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
    input_digests: Vec<ByteString>,
    input_roles: Vec<ByteString>,
    input_lengths: Vec<i64>,
    input_part_kinds: Vec<ByteString>,
    input: Input,
    output_digests: Vec<ByteString>,
    output_lengths: Vec<i64>,
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
            _ if id == s::INPUT_DIGESTS.id() => self.input_digests = read(s::INPUT_DIGESTS, value)?,
            _ if id == s::INPUT_ROLES.id() => self.input_roles = read(s::INPUT_ROLES, value)?,
            _ if id == s::INPUT_LENGTHS.id() => self.input_lengths = read(s::INPUT_LENGTHS, value)?,
            _ if id == s::INPUT_PART_KINDS.id() => self.input_part_kinds = read(s::INPUT_PART_KINDS, value)?,
            _ if id == s::INPUT_PREFIX.id() => self.input.prefix = Some(word(s::INPUT_PREFIX, value)?),
            _ if id == s::INPUT_CHAIN.id() => self.input.chain = Some(word(s::INPUT_CHAIN, value)?),
            _ if id == s::INPUT_OMITTED.id() => self.input.omitted = Some(count(s::INPUT_OMITTED, value)?),
            _ if id == s::INPUT_BLOB_DIGESTS.id() => self.input.blobs = digests(s::INPUT_BLOB_DIGESTS, value)?,
            _ if id == s::SYSTEM_DIGEST.id() => self.input.system.digest = Some(word(s::SYSTEM_DIGEST, value)?),
            _ if id == s::SYSTEM_LENGTH.id() => self.input.system.length = Some(count(s::SYSTEM_LENGTH, value)?),
            _ if id == s::TOOLS_DIGEST.id() => self.input.tools = Some(word(s::TOOLS_DIGEST, value)?),
            _ if id == s::OUTPUT_DIGESTS.id() => self.output_digests = read(s::OUTPUT_DIGESTS, value)?,
            _ if id == s::OUTPUT_LENGTHS.id() => self.output_lengths = read(s::OUTPUT_LENGTHS, value)?,
            _ if id == s::OUTPUT_BLOB_DIGESTS.id() => self.output_blobs = digests(s::OUTPUT_BLOB_DIGESTS, value)?,
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
        let mut digests = self.input_digests.iter();
        let mut roles = self.input_roles.iter();
        let mut lengths = self.input_lengths.iter();
        let mut part_kinds = self.input_part_kinds.into_iter();
        for _ in 0..agreed(&count)? {
            self.input.items.push(Item {
                digest: element(semconv::INPUT_DIGESTS, digests.next())?,
                role: roles.next().map_or(Role::Other, |word| Role::from_word(word)),
                length: lengths.next().and_then(|length| u64::try_from(*length).ok()),
                part_kinds: part_kinds.next().unwrap_or_default(),
            });
        }

        let count = [
            (semconv::OUTPUT_DIGESTS.key(), self.output_digests.len()),
            (semconv::OUTPUT_LENGTHS.key(), self.output_lengths.len()),
        ];
        let mut digests = self.output_digests.iter();
        let mut lengths = self.output_lengths.iter();
        let mut output = Output { items: Vec::new(), blobs: self.output_blobs };
        for _ in 0..agreed(&count)? {
            output.items.push(Measure {
                digest: element(semconv::OUTPUT_DIGESTS, digests.next())?,
                length: lengths.next().and_then(|length| u64::try_from(*length).ok()),
            });
        }
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

fn digests(attr: Attr<Vec<ByteString>>, value: &AnyView<'_>) -> Result<Vec<Digest>, NotACall> {
    let parse = |text: &ByteString| text.parse().map_err(|_| NotACall::Field(attr.key()));
    read(attr, value)?.iter().map(parse).collect()
}

/// One of several digests; `""` keeps the place of a missing one.
fn element(attr: Attr<Vec<ByteString>>, text: Option<&ByteString>) -> Result<Option<Digest>, NotACall> {
    match text.map(|text| &**text) {
        None | Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| NotACall::Field(attr.key())),
    }
}
