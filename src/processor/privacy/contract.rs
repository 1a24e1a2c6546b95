//! Content of the conventions, and what may be told of it under our names.

use super::read;
use crate::event::{Arguments, Input, Measure, Output, Request};
use crate::otlp::AnyView;
use crate::privacy::c1::Hasher;
use crate::privacy::measure;
use crate::semconv::{self as s, Attr, KeyId};

/// An attribute of the conventions that has a form in our contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Input,
    Prompt,
    System,
    Tools,
    Output,
    Completion,
    Arguments,
    Result,
}

const SLOTS: &[(Slot, Attr<()>)] = &[
    (Slot::Input, s::INPUT_MESSAGES),
    (Slot::Prompt, s::OLD_PROMPT),
    (Slot::System, s::SYSTEM_INSTRUCTIONS),
    (Slot::Tools, s::TOOL_DEFINITIONS),
    (Slot::Output, s::OUTPUT_MESSAGES),
    (Slot::Completion, s::OLD_COMPLETION),
    (Slot::Arguments, s::TOOL_CALL_ARGUMENTS),
    (Slot::Result, s::TOOL_CALL_RESULT),
];

/// The names that tell of a request. They are of one piece: a prefix from one reading and a chain from another would be
/// a lie.
const INPUT: &[KeyId] = &[
    s::INPUT_DIGESTS.id(),
    s::INPUT_ROLES.id(),
    s::INPUT_LENGTHS.id(),
    s::INPUT_PART_KINDS.id(),
    s::INPUT_PREFIX.id(),
    s::INPUT_CHAIN.id(),
    s::INPUT_OMITTED.id(),
    s::INPUT_BLOB_DIGESTS.id(),
    s::SYSTEM_DIGEST.id(),
    s::SYSTEM_LENGTH.id(),
    s::TOOLS_DIGEST.id(),
];
const OUTPUT: &[KeyId] = &[s::OUTPUT_DIGESTS.id(), s::OUTPUT_LENGTHS.id(), s::OUTPUT_BLOB_DIGESTS.id()];
const ARGUMENTS: &[KeyId] =
    &[s::TOOL_ARGUMENTS_DIGEST.id(), s::TOOL_ARGUMENTS_EXACT.id(), s::TOOL_ARGUMENTS_LENGTH.id()];
const RESULT: &[KeyId] = &[s::TOOL_RESULT_DIGEST.id(), s::TOOL_RESULT_LENGTH.id()];

impl Slot {
    /// The slot of a name.
    pub(super) fn of(id: KeyId) -> Option<Self> {
        SLOTS.iter().find(|(_, name)| name.id() == id).map(|(slot, _)| *slot)
    }

    pub(super) fn key(self) -> &'static str {
        SLOTS.iter().find(|(slot, _)| *slot == self).map_or("", |(_, name)| name.key())
    }

    /// The names that tell of it.
    const fn told_by(self) -> &'static [KeyId] {
        match self {
            Self::Input | Self::Prompt | Self::System | Self::Tools => INPUT,
            Self::Output | Self::Completion => OUTPUT,
            Self::Arguments => ARGUMENTS,
            Self::Result => RESULT,
        }
    }
}

/// The content that has been found on a span, an event or a link.
#[derive(Default)]
pub(super) struct Found<'a> {
    values: Vec<(Slot, AnyView<'a>)>,
    unread: Vec<(Slot, AnyView<'a>)>,
}

/// What may be told of it.
#[derive(Default)]
pub(super) struct Told<'a> {
    pub(super) input: Input,
    pub(super) output: Output,
    pub(super) arguments: Arguments,
    pub(super) result: Measure,
    /// What could not be read, and is content like any other.
    pub(super) unread: Vec<(Slot, AnyView<'a>)>,
}

impl<'a> Found<'a> {
    /// Of a name that stands twice the last value counts.
    pub(super) fn add(&mut self, slot: Slot, value: AnyView<'a>) {
        self.values.retain(|(known, _)| *known != slot);
        self.values.push((slot, value));
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Reads all of it. What `is_told` says to be told already is neither read nor told again.
    pub(super) fn tell(mut self, hasher: Option<&Hasher>, is_told: impl Fn(&[KeyId]) -> bool) -> Told<'a> {
        self.values.retain(|(slot, _)| !is_told(slot.told_by()));
        let input = self.input(hasher);
        let output = self.output(hasher);
        let arguments = self.arguments(hasher);
        let result = self.read(Slot::Result, read::result).map(|result| measure::result(hasher, &result));
        Told {
            input: input.unwrap_or_default(),
            output: output.unwrap_or_default(),
            arguments: arguments.unwrap_or_default(),
            result: result.unwrap_or_default(),
            unread: self.unread,
        }
    }

    fn input(&mut self, hasher: Option<&Hasher>) -> Option<Input> {
        let messages = self.read(Slot::Input, read::messages);
        let mut request = match messages {
            // What the newer name says holds; the older one is content like any other.
            Some(messages) => {
                self.read(Slot::Prompt, |_| None::<()>);
                Some(Request { messages, ..Request::default() })
            }
            None => self.read(Slot::Prompt, read::prompt),
        };
        let has_messages = request.is_some();
        if let Some(system) = self.read(Slot::System, read::system) {
            request.get_or_insert_default().system.extend(system);
        }
        if let Some(tools) = self.read(Slot::Tools, read::tools) {
            request.get_or_insert_default().tools.extend(tools);
        }
        let mut input = measure::keyframe(hasher, &request?);
        let is_part = |(slot, _): &(Slot, _)| matches!(slot, Slot::Input | Slot::System | Slot::Tools);
        if !has_messages || self.unread.iter().any(is_part) {
            // A chain stands for the whole input, and this is not known to be that.
            input.chain = None;
        }
        Some(input)
    }

    fn output(&mut self, hasher: Option<&Hasher>) -> Option<Output> {
        let messages = match self.read(Slot::Output, read::messages) {
            Some(messages) => {
                self.read(Slot::Completion, |_| None::<()>);
                messages
            }
            None => self.read(Slot::Completion, read::completion)?,
        };
        Some(measure::answer(hasher, &messages))
    }

    fn arguments(&mut self, hasher: Option<&Hasher>) -> Option<Arguments> {
        let (text, is_exact) = self.read(Slot::Arguments, read::arguments)?;
        let told = measure::arguments(hasher, &text);
        Some(if is_exact { told } else { Arguments { exact: None, ..told } })
    }

    /// The content of a slot; kept as unread where it is not what it should be.
    fn read<T>(&mut self, slot: Slot, read: impl Fn(&AnyView<'a>) -> Option<T>) -> Option<T> {
        let place = self.values.iter().position(|(known, _)| *known == slot)?;
        let (slot, value) = self.values.swap_remove(place);
        let found = read(&value);
        if found.is_none() {
            self.unread.push((slot, value));
        }
        found
    }
}
