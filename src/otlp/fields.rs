//! The typed fields of a record, gathered from attributes in any order.

use std::str::FromStr;

use bytestring::ByteString;

use super::any::AnyView;
use super::decode::{NotACall, typed};
use crate::event::{
    Arguments, CallId, CallKind, Digest, FromValue, Given, Histories, Input, Item, MarkKind, Measure, Noted, Outcome,
    Output, Returned, Role, Shown, Veiled,
};
use crate::semconv::{self, Attr, KeyId, ShownNames, ShownOf, Type};

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
    pub(super) error: Measure,
    /// All of it but the messages.
    input: Input,
    input_messages: Messages,
    output: Texts,
    output_blobs: Vec<Digest>,
    output_shown: Shown,
    arguments: Arguments,
    result: Measure,
    action: Measure,
    alternatives: Texts,
    state: Measure,
    message: Measure,
    /// All of it but the messages.
    replacement: Input,
    replacement_messages: Messages,
}

/// The arrays that tell of several texts.
#[derive(Default)]
struct Texts {
    digests: Vec<Option<Digest>>,
    lengths: Vec<Option<u64>>,
}

/// The arrays that tell of several messages.
#[derive(Default)]
struct Messages {
    texts: Texts,
    roles: Vec<Role>,
    part_kinds: Vec<ByteString>,
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
            _ if id == s::INPUT_DIGESTS.id() => {
                self.input_messages.texts.digests = list(s::INPUT_DIGESTS, value, place_of_digest)?;
            }
            _ if id == s::INPUT_ROLES.id() => self.input_messages.roles = list(s::INPUT_ROLES, value, role)?,
            _ if id == s::INPUT_LENGTHS.id() => {
                self.input_messages.texts.lengths = list(s::INPUT_LENGTHS, value, place_of_length)?;
            }
            _ if id == s::INPUT_PART_KINDS.id() => {
                self.input_messages.part_kinds = read(s::INPUT_PART_KINDS, value)?;
            }
            _ if id == s::INPUT_PREFIX.id() => self.input.prefix = Some(word(s::INPUT_PREFIX, value)?),
            _ if id == s::INPUT_CHAIN.id() => self.input.chain = Some(word(s::INPUT_CHAIN, value)?),
            _ if id == s::INPUT_OMITTED.id() => self.input.omitted = Some(count(s::INPUT_OMITTED, value)?),
            _ if id == s::INPUT_BLOB_DIGESTS.id() => self.input.blobs = list(s::INPUT_BLOB_DIGESTS, value, digest)?,
            _ if id == s::SYSTEM_DIGEST.id() => self.input.system.digest = Some(word(s::SYSTEM_DIGEST, value)?),
            _ if id == s::SYSTEM_LENGTH.id() => self.input.system.length = Some(count(s::SYSTEM_LENGTH, value)?),
            _ if id == s::TOOLS_DIGEST.id() => self.input.tools = Some(word(s::TOOLS_DIGEST, value)?),
            _ if id == s::OUTPUT_DIGESTS.id() => self.output.digests = list(s::OUTPUT_DIGESTS, value, place_of_digest)?,
            _ if id == s::OUTPUT_LENGTHS.id() => self.output.lengths = list(s::OUTPUT_LENGTHS, value, place_of_length)?,
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
            _ if id == s::ERROR_DIGEST.id() => self.error.digest = Some(word(s::ERROR_DIGEST, value)?),
            _ if id == s::ERROR_LENGTH.id() => self.error.length = Some(count(s::ERROR_LENGTH, value)?),
            _ => return self.set_of_mark(id, value),
        }
        Ok(())
    }

    /// Whether anything is told of an action.
    pub(super) fn tells_action(&self) -> bool {
        self.action.digest.is_some() || self.action.length.is_some()
    }

    fn set_of_mark(&mut self, id: KeyId, value: &AnyView<'_>) -> Result<(), NotACall> {
        use semconv as s;
        let messages = &mut self.replacement_messages;
        match id {
            _ if id == s::DECISION_ACTION_DIGEST.id() => {
                self.action.digest = Some(word(s::DECISION_ACTION_DIGEST, value)?);
            }
            _ if id == s::DECISION_ACTION_LENGTH.id() => {
                self.action.length = Some(count(s::DECISION_ACTION_LENGTH, value)?);
            }
            _ if id == s::DECISION_ALTERNATIVES_DIGESTS.id() => {
                self.alternatives.digests = list(s::DECISION_ALTERNATIVES_DIGESTS, value, place_of_digest)?;
            }
            _ if id == s::DECISION_ALTERNATIVES_LENGTHS.id() => {
                self.alternatives.lengths = list(s::DECISION_ALTERNATIVES_LENGTHS, value, place_of_length)?;
            }
            _ if id == s::CHECKPOINT_STATE_DIGEST.id() => {
                self.state.digest = Some(word(s::CHECKPOINT_STATE_DIGEST, value)?);
            }
            _ if id == s::CHECKPOINT_STATE_LENGTH.id() => {
                self.state.length = Some(count(s::CHECKPOINT_STATE_LENGTH, value)?);
            }
            _ if id == s::EDGE_MESSAGE_DIGEST.id() => self.message.digest = Some(word(s::EDGE_MESSAGE_DIGEST, value)?),
            _ if id == s::EDGE_MESSAGE_LENGTH.id() => self.message.length = Some(count(s::EDGE_MESSAGE_LENGTH, value)?),
            _ if id == s::COMPACTION_DIGESTS.id() => {
                messages.texts.digests = list(s::COMPACTION_DIGESTS, value, place_of_digest)?;
            }
            _ if id == s::COMPACTION_ROLES.id() => messages.roles = list(s::COMPACTION_ROLES, value, role)?,
            _ if id == s::COMPACTION_LENGTHS.id() => {
                messages.texts.lengths = list(s::COMPACTION_LENGTHS, value, place_of_length)?;
            }
            _ if id == s::COMPACTION_PART_KINDS.id() => messages.part_kinds = read(s::COMPACTION_PART_KINDS, value)?,
            _ if id == s::COMPACTION_CHAIN.id() => self.replacement.chain = Some(word(s::COMPACTION_CHAIN, value)?),
            _ if id == s::COMPACTION_OMITTED.id() => {
                self.replacement.omitted = Some(count(s::COMPACTION_OMITTED, value)?);
            }
            _ if id == s::COMPACTION_BLOB_DIGESTS.id() => {
                self.replacement.blobs = list(s::COMPACTION_BLOB_DIGESTS, value, digest)?;
            }
            // What reduction writes is no part of a call.
            _ => self.show(id, value),
        }
        Ok(())
    }

    /// Text that its producer's policy let leave. A value of any other type is content in another form, and not read here.
    fn show(&mut self, id: KeyId, value: &AnyView<'_>) {
        let AnyView::Text(text) = value else { return };
        for names in ShownNames::ALL {
            let set = match id {
                _ if names.preview.is_some_and(|name| name.id() == id) => Shown::set_preview,
                _ if names.content.is_some_and(|name| name.id() == id) => Shown::set_content,
                _ if names.reference.is_some_and(|name| name.id() == id) => Shown::set_reference,
                _ => continue,
            };
            set(self.shown(names), ByteString::from(*text));
        }
    }

    fn shown(&mut self, names: &ShownNames) -> &mut Shown {
        match names.of {
            ShownOf::Input => &mut self.input.shown,
            ShownOf::Output => &mut self.output_shown,
            ShownOf::System => &mut self.input.system.shown,
            ShownOf::Tools => &mut self.input.tools_shown,
            ShownOf::ToolArguments => &mut self.arguments.shown,
            ShownOf::ToolResult => &mut self.result.shown,
            ShownOf::Error => &mut self.error.shown,
            ShownOf::Action => &mut self.action.shown,
            ShownOf::State => &mut self.state.shown,
        }
    }

    /// What a call of this kind was given, and what it returned.
    pub(super) fn into_content(self, kind: CallKind) -> Result<(Given<Veiled>, Returned<Veiled>), NotACall> {
        let given = match Given::<Veiled>::empty(kind) {
            Given::Request(_) => Given::Request(Input { items: self.input_messages.items(INPUT)?, ..self.input }),
            Given::Arguments(_) => Given::Arguments(self.arguments),
            Given::Texts(_) => {
                Given::Texts(shown_first(self.input_messages.texts.measures(INPUT_TEXTS)?, self.input.shown))
            }
        };
        let returned = match Returned::<Veiled>::empty(kind) {
            Returned::Answer(_) => {
                let (items, blobs) = (self.output.measures(OUTPUT_TEXTS)?, self.output_blobs);
                Returned::Answer(Output { items, blobs, shown: self.output_shown, facets: Vec::new() })
            }
            Returned::Result(_) => Returned::Result(self.result),
            Returned::Texts(_) => Returned::Texts(shown_first(self.output.measures(OUTPUT_TEXTS)?, self.output_shown)),
        };
        Ok((given, returned))
    }

    /// The content of a mark of this kind.
    pub(super) fn into_noted(self, kind: MarkKind) -> Result<Noted<Veiled>, NotACall> {
        Ok(match Noted::<Veiled>::empty(kind) {
            Noted::Nothing => Noted::Nothing,
            Noted::Decision { .. } => {
                Noted::Decision { action: self.action, alternatives: self.alternatives.measures(ALTERNATIVES)? }
            }
            Noted::State(_) => Noted::State(self.state),
            Noted::Message(_) => Noted::Message(self.message),
            Noted::Histories(_) => {
                let Input { chain, omitted, blobs, .. } = self.input;
                let items = self.input_messages.items(INPUT)?;
                let replaced = Input { chain, omitted, blobs, items, ..Input::default() };
                let items = self.replacement_messages.items(REPLACEMENT)?;
                Noted::Histories(Box::new(Histories { replaced, replacement: Input { items, ..self.replacement } }))
            }
        })
    }
}

/// The names of arrays that have to agree: of digests, of lengths; of messages, of roles and kinds of parts too.
type Names<const COUNT: usize> = [&'static str; COUNT];

const INPUT_TEXTS: Names<2> = ["veilspan.input.digests", "veilspan.input.lengths"];
const OUTPUT_TEXTS: Names<2> = ["veilspan.output.digests", "veilspan.output.lengths"];
const ALTERNATIVES: Names<2> = ["veilspan.decision.alternatives.digests", "veilspan.decision.alternatives.lengths"];
const INPUT: Names<4> =
    ["veilspan.input.digests", "veilspan.input.lengths", "veilspan.input.roles", "veilspan.input.part_kinds"];
const REPLACEMENT: Names<4> = [
    "veilspan.compaction.digests",
    "veilspan.compaction.lengths",
    "veilspan.compaction.roles",
    "veilspan.compaction.part_kinds",
];

impl Texts {
    fn measures(self, [digests, lengths]: Names<2>) -> Result<Vec<Measure>, NotACall> {
        let count = agreed(&[(digests, self.digests.len()), (lengths, self.lengths.len())])?;
        let (mut digests, mut lengths) = (self.digests.into_iter(), self.lengths.into_iter());
        let measure = |_| {
            let (digest, length) = (digests.next().flatten(), lengths.next().flatten());
            Measure { digest, length, ..Measure::default() }
        };
        Ok((0..count).map(measure).collect())
    }
}

impl Messages {
    fn items(self, [digests, lengths, roles, part_kinds]: Names<4>) -> Result<Vec<Item>, NotACall> {
        let count = agreed(&[
            (digests, self.texts.digests.len()),
            (roles, self.roles.len()),
            (lengths, self.texts.lengths.len()),
            (part_kinds, self.part_kinds.len()),
        ])?;
        let (mut digests, mut lengths) = (self.texts.digests.into_iter(), self.texts.lengths.into_iter());
        let (mut roles, mut part_kinds) = (self.roles.into_iter(), self.part_kinds.into_iter());
        let item = |_| Item {
            digest: digests.next().flatten(),
            role: roles.next().unwrap_or(Role::Other),
            length: lengths.next().flatten(),
            part_kinds: part_kinds.next().unwrap_or_default(),
        };
        Ok((0..count).map(item).collect())
    }
}

/// Of several texts the first is the one that is shown.
fn shown_first(mut texts: Vec<Measure>, shown: Shown) -> Vec<Measure> {
    if let Some(first) = texts.first_mut() {
        first.shown = shown;
    }
    texts
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
