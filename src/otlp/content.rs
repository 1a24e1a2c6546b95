//! Content that was made safe, onto the wire: digests, lengths and what is shown, under the names that the table gives
//! their place.

use bytestring::ByteString;

use super::attribute::AttributeWriter;
use super::elements::{Size, Word};
#[cfg(any(feature = "collector", feature = "sdk"))]
use crate::event::Value;
use crate::event::{Arguments, Digest, Given, Input, Item, Measure, Noted, Output, Returned, Role, Shown, Veiled};
use crate::semconv::{self, Attr, KeyId, ShownNames};

pub(super) fn put_given(attributes: &mut AttributeWriter<'_>, given: &Given<Veiled>) {
    match given {
        nothing if nothing.tells_nothing() => {}
        Given::Request(request) => put_input(attributes, request),
        Given::Arguments(arguments) => put_arguments(attributes, arguments),
        Given::Texts(texts) => {
            put_texts(attributes, INPUT_TEXTS, texts);
            put_first(attributes, &ShownNames::INPUT, texts);
        }
    }
}

pub(super) fn put_returned(attributes: &mut AttributeWriter<'_>, returned: &Returned<Veiled>) {
    match returned {
        nothing if nothing.tells_nothing() => {}
        Returned::Answer(answer) => put_output(attributes, answer),
        Returned::Result(result) => put_result(attributes, result),
        Returned::Texts(texts) => {
            put_texts(attributes, OUTPUT_TEXTS, texts);
            put_first(attributes, &ShownNames::OUTPUT, texts);
        }
    }
}

pub(super) fn put_noted(attributes: &mut AttributeWriter<'_>, noted: &Noted<Veiled>) {
    match noted {
        Noted::Nothing => {}
        Noted::Decision { action, alternatives } => {
            put_measure(attributes, ACTION, action);
            put_shown(attributes, &ShownNames::ACTION, &action.shown);
            put_texts(attributes, ALTERNATIVES, alternatives);
        }
        Noted::State(state) => {
            put_measure(attributes, STATE, state);
            put_shown(attributes, &ShownNames::STATE, &state.shown);
        }
        Noted::Message(message) => put_measure(attributes, MESSAGE, message),
        Noted::Histories(histories) => {
            put_messages(attributes, &REPLACED, &histories.replaced);
            put_messages(attributes, &REPLACEMENT, &histories.replacement);
        }
    }
}

fn put_result(attributes: &mut AttributeWriter<'_>, result: &Measure) {
    put_measure(attributes, RESULT, result);
    put_shown(attributes, &ShownNames::TOOL_RESULT, &result.shown);
}

pub(super) fn put_error(attributes: &mut AttributeWriter<'_>, error: &Measure) {
    if error.is_nothing() {
        return;
    }
    put_measure(attributes, ERROR, error);
    put_shown(attributes, &ShownNames::ERROR, &error.shown);
}

fn put_input(attributes: &mut AttributeWriter<'_>, input: &Input) {
    put_messages(attributes, &REPLACED, input);
    put_shown(attributes, &ShownNames::INPUT, &input.shown);
    put_shown(attributes, &ShownNames::SYSTEM, &input.system.shown);
    put_shown(attributes, &ShownNames::TOOLS, &input.tools_shown);
    put_digest(attributes, semconv::INPUT_PREFIX.id(), input.prefix.as_ref());
    put_digest(attributes, semconv::SYSTEM_DIGEST.id(), input.system.digest.as_ref());
    put_count(attributes, semconv::SYSTEM_LENGTH.id(), input.system.length);
    put_digest(attributes, semconv::TOOLS_DIGEST.id(), input.tools.as_ref());
}

/// What a list of messages is told by.
struct MessageNames {
    digests: KeyId,
    roles: KeyId,
    lengths: KeyId,
    part_kinds: KeyId,
    chain: KeyId,
    omitted: KeyId,
    blobs: KeyId,
}

/// What a model was sent; on a compaction, what was replaced.
const REPLACED: MessageNames = MessageNames {
    digests: semconv::INPUT_DIGESTS.id(),
    roles: semconv::INPUT_ROLES.id(),
    lengths: semconv::INPUT_LENGTHS.id(),
    part_kinds: semconv::INPUT_PART_KINDS.id(),
    chain: semconv::INPUT_CHAIN.id(),
    omitted: semconv::INPUT_OMITTED.id(),
    blobs: semconv::INPUT_BLOB_DIGESTS.id(),
};

const REPLACEMENT: MessageNames = MessageNames {
    digests: semconv::COMPACTION_DIGESTS.id(),
    roles: semconv::COMPACTION_ROLES.id(),
    lengths: semconv::COMPACTION_LENGTHS.id(),
    part_kinds: semconv::COMPACTION_PART_KINDS.id(),
    chain: semconv::COMPACTION_CHAIN.id(),
    omitted: semconv::COMPACTION_OMITTED.id(),
    blobs: semconv::COMPACTION_BLOB_DIGESTS.id(),
};

fn put_messages(attributes: &mut AttributeWriter<'_>, names: &MessageNames, input: &Input) {
    let items = &input.items;
    if !items.is_empty() {
        let sizes = items.iter().fold(Sizes::default(), Sizes::and);
        // Where no digest or no length may leave at all, their array says nothing that the roles do not say.
        if sizes.has_digest {
            attributes.sized_digests(names.digests, sizes.digests, items.iter().map(|item| item.digest.as_ref()));
        }
        attributes.words(names.roles, sizes.roles, items.iter().map(|item| word(item.role)));
        if sizes.has_length {
            attributes.sized_ints(names.lengths, sizes.lengths, items.iter().map(|item| wire_length(item.length)));
        }
        attributes.sized_texts(names.part_kinds, sizes.part_kinds, items.iter().map(|item| &*item.part_kinds));
    }
    put_digest(attributes, names.chain, input.chain.as_ref());
    put_count(attributes, names.omitted, input.omitted);
    if !input.blobs.is_empty() {
        attributes.digests(names.blobs, input.blobs.iter().map(Some));
    }
}

/// What the arrays about a list of messages take, of which there may be many.
#[derive(Default)]
struct Sizes {
    has_digest: bool,
    digests: Size,
    roles: Size,
    has_length: bool,
    lengths: Size,
    part_kinds: Size,
}

impl Sizes {
    #[inline]
    fn and(self, item: &Item) -> Self {
        Self {
            has_digest: self.has_digest | item.digest.is_some(),
            digests: self.digests.digest(item.digest.as_ref()),
            roles: self.roles.word(word(item.role)),
            has_length: self.has_length | item.length.is_some(),
            lengths: self.lengths.int(wire_length(item.length)),
            part_kinds: self.part_kinds.text(&item.part_kinds),
        }
    }
}

const fn word(role: Role) -> &'static Word {
    macro_rules! words {
        ($($role:ident)*) => {
            match role {
                $(Role::$role => {
                    const WORD: &Word = &Word::of(Role::$role.as_str());
                    WORD
                })*
            }
        };
    }
    words!(System User Assistant Tool Developer Other)
}

fn put_output(attributes: &mut AttributeWriter<'_>, output: &Output) {
    put_texts(attributes, OUTPUT_TEXTS, &output.items);
    if !output.blobs.is_empty() {
        attributes.digests(semconv::OUTPUT_BLOB_DIGESTS.id(), output.blobs.iter().map(Some));
    }
    put_shown(attributes, &ShownNames::OUTPUT, &output.shown);
}

/// The digests and the lengths of several texts.
type TextsNames = (Attr<Vec<ByteString>>, Attr<Vec<i64>>);

const INPUT_TEXTS: TextsNames = (semconv::INPUT_DIGESTS, semconv::INPUT_LENGTHS);
const OUTPUT_TEXTS: TextsNames = (semconv::OUTPUT_DIGESTS, semconv::OUTPUT_LENGTHS);
const ALTERNATIVES: TextsNames = (semconv::DECISION_ALTERNATIVES_DIGESTS, semconv::DECISION_ALTERNATIVES_LENGTHS);

fn put_texts(attributes: &mut AttributeWriter<'_>, (digests, lengths): TextsNames, texts: &[Measure]) {
    if texts.iter().any(|text| text.digest.is_some()) {
        attributes.digests(digests.id(), texts.iter().map(|text| text.digest.as_ref()));
    }
    if !texts.is_empty() {
        attributes.ints(lengths.id(), texts.iter().map(|text: &Measure| wire_length(text.length)));
    }
}

fn put_arguments(attributes: &mut AttributeWriter<'_>, arguments: &Arguments) {
    put_digest(attributes, semconv::TOOL_ARGUMENTS_DIGEST.id(), arguments.digest.as_ref());
    put_digest(attributes, semconv::TOOL_ARGUMENTS_EXACT.id(), arguments.exact.as_ref());
    put_count(attributes, semconv::TOOL_ARGUMENTS_LENGTH.id(), arguments.length);
    put_shown(attributes, &ShownNames::TOOL_ARGUMENTS, &arguments.shown);
}

/// Of several texts the first is the one that is shown.
fn put_first(attributes: &mut AttributeWriter<'_>, names: &ShownNames, texts: &[Measure]) {
    if let Some(first) = texts.first() {
        put_shown(attributes, names, &first.shown);
    }
}

/// Text that the policy lets leave.
fn put_shown(attributes: &mut AttributeWriter<'_>, names: &ShownNames, shown: &Shown) {
    if shown.is_nothing() {
        return;
    }
    if let (Some(name), Some(preview)) = (names.preview, shown.preview()) {
        attributes.text(name.id(), preview);
    }
    if let (Some(name), Some(content)) = (names.content, shown.content()) {
        attributes.text(name.id(), content);
    }
    if let Some(reference) = shown.reference() {
        for name in [names.reference, names.content_reference].into_iter().flatten() {
            attributes.text(name.id(), reference);
        }
    }
}

/// The digest and the length of one text.
type MeasureNames = (Attr<ByteString>, Attr<i64>);

const RESULT: MeasureNames = (semconv::TOOL_RESULT_DIGEST, semconv::TOOL_RESULT_LENGTH);
const ERROR: MeasureNames = (semconv::ERROR_DIGEST, semconv::ERROR_LENGTH);
const ACTION: MeasureNames = (semconv::DECISION_ACTION_DIGEST, semconv::DECISION_ACTION_LENGTH);
const MESSAGE: MeasureNames = (semconv::EDGE_MESSAGE_DIGEST, semconv::EDGE_MESSAGE_LENGTH);
const STATE: MeasureNames = (semconv::CHECKPOINT_STATE_DIGEST, semconv::CHECKPOINT_STATE_LENGTH);

fn put_measure(attributes: &mut AttributeWriter<'_>, (digest, length): MeasureNames, measure: &Measure) {
    put_digest(attributes, digest.id(), measure.digest.as_ref());
    put_count(attributes, length.id(), measure.length);
}

fn put_digest(attributes: &mut AttributeWriter<'_>, id: KeyId, digest: Option<&Digest>) {
    if let Some(digest) = digest {
        attributes.digest(id, digest);
    }
}

pub(super) fn put_count(attributes: &mut AttributeWriter<'_>, id: KeyId, count: Option<u64>) {
    if let Some(count) = count.and_then(|count| i64::try_from(count).ok()) {
        attributes.int(id, count);
    }
}

/// A length in an array, where a missing one has to keep its place: -1.
fn wire_length(length: Option<u64>) -> i64 {
    length.and_then(|length| i64::try_from(length).ok()).unwrap_or(-1)
}

/// The same alone, for spans of others.
#[cfg(any(feature = "collector", feature = "sdk"))]
impl super::encode::Encoder {
    /// Appends attributes in the field `number` of a message.
    pub(crate) fn attributes(&self, number: u8, values: &[(KeyId, Value)], out: &mut Vec<u8>) {
        let mut attributes = AttributeWriter::new(out, &self.keys, number);
        values.iter().for_each(|(id, value)| attributes.value(*id, value));
    }

    /// Appends what may be told of a request, as attributes in the field `number` of a message.
    pub(crate) fn input(&self, number: u8, input: &Input, out: &mut Vec<u8>) {
        put_input(&mut AttributeWriter::new(out, &self.keys, number), input);
    }

    /// Appends what may be told of an answer, as attributes in the field `number` of a message.
    pub(crate) fn output(&self, number: u8, output: &Output, out: &mut Vec<u8>) {
        put_output(&mut AttributeWriter::new(out, &self.keys, number), output);
    }

    /// Appends what may be told of the texts that any other call was given and returned, as attributes in the field `number`
    /// of a message.
    pub(crate) fn texts(&self, number: u8, given: &[Measure], returned: &[Measure], out: &mut Vec<u8>) {
        let mut attributes = AttributeWriter::new(out, &self.keys, number);
        put_texts(&mut attributes, INPUT_TEXTS, given);
        put_first(&mut attributes, &ShownNames::INPUT, given);
        put_texts(&mut attributes, OUTPUT_TEXTS, returned);
        put_first(&mut attributes, &ShownNames::OUTPUT, returned);
    }

    /// Appends what may be told of a tool call, as attributes in the field `number` of a message.
    pub(crate) fn tool(&self, number: u8, arguments: &Arguments, result: &Measure, out: &mut Vec<u8>) {
        let mut attributes = AttributeWriter::new(out, &self.keys, number);
        put_arguments(&mut attributes, arguments);
        put_result(&mut attributes, result);
    }
}
