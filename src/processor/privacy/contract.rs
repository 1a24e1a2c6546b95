//! Content of the conventions, and what may be told of it under our names.

use super::foreign::{Foreign, Place};
use super::read;
use super::splice::EditId;
use super::texts;
use super::verdict::stays_under;
use crate::event::{Arguments, CallKind, Input, Measure, Message, Output, Request, Shown};
use crate::otlp::AnyView;
use crate::privacy::OTHER;
use crate::privacy::measure::Telling;
use crate::semconv::{self as s, Attr, Class, Field, KeyId};

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
pub(super) const INPUT: &[KeyId] = &[
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
pub(super) const OUTPUT: &[KeyId] = &[s::OUTPUT_DIGESTS.id(), s::OUTPUT_LENGTHS.id(), s::OUTPUT_BLOB_DIGESTS.id()];
pub(super) const ARGUMENTS: &[KeyId] =
    &[s::TOOL_ARGUMENTS_DIGEST.id(), s::TOOL_ARGUMENTS_EXACT.id(), s::TOOL_ARGUMENTS_LENGTH.id()];
pub(super) const RESULT: &[KeyId] = &[s::TOOL_RESULT_DIGEST.id(), s::TOOL_RESULT_LENGTH.id()];

impl Slot {
    /// The slot of a name.
    pub(super) fn of(id: KeyId) -> Option<Self> {
        SLOTS.iter().find(|(_, name)| name.id() == id).map(|(slot, _)| *slot)
    }

    pub(super) fn key(self) -> &'static str {
        SLOTS.iter().find(|(slot, _)| *slot == self).map_or("", |(_, name)| name.key())
    }

    /// Its class.
    pub(super) fn class(self) -> Option<Field> {
        SLOTS.iter().find(|(slot, _)| *slot == self).and_then(|(_, name)| match name.id().name().class {
            Class::Content(class) => Some(class),
            _ => None,
        })
    }

    /// Whether a value is what its name promises.
    fn reads(self) -> Reads {
        match self {
            Self::Input => |value| read::messages(value).is_some(),
            Self::Prompt => |value| read::prompt(value).is_some(),
            Self::System => |value| read::system(value).is_some(),
            Self::Tools => |value| read::tools(value).is_some(),
            Self::Output => |value| read::answer(value).is_some(),
            Self::Completion => |value| read::completion(value).is_some(),
            Self::Arguments | Self::Result => |value| read::arguments(value).is_some(),
        }
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

/// Whether a value can be read under a name.
pub(super) type Reads = fn(&AnyView<'_>) -> bool;

/// One value of the conventions', where it stands.
#[derive(Clone)]
pub(super) struct Value<'a> {
    pub(super) slot: Slot,
    pub(super) view: AnyView<'a>,
    /// What has left it out.
    pub(super) edit: EditId,
    /// Whether what is measured of it stands beside it already.
    pub(super) is_told: bool,
}

/// A value that stays as far as its level lets whole content stay.
pub(super) struct Unread<'a> {
    pub(super) key: &'a str,
    /// Of a name that is in no table any.
    pub(super) class: Option<Field>,
    pub(super) view: AnyView<'a>,
    pub(super) edit: EditId,
    pub(super) is_told: bool,
    reads: Reads,
}

impl Unread<'_> {
    /// Whether a text in its place would be read where it was not: somebody behind us would tell what was never said.
    pub(super) fn becomes_readable(&self, text: &str) -> bool {
        !self.is_told && (self.reads)(&AnyView::Text(text)) && !(self.reads)(&self.view)
    }
}

/// The content that has been found on a span, an event or a link.
#[derive(Default)]
pub(super) struct Found<'a> {
    values: Vec<Value<'a>>,
    unread: Vec<Value<'a>>,
    kept: Vec<EditId>,
    foreign: Foreign<'a>,
}

/// What may be told of it.
#[derive(Default)]
pub(super) struct Told<'a> {
    pub(super) input: Input,
    pub(super) output: Output,
    pub(super) arguments: Arguments,
    pub(super) result: Measure,
    /// The texts that a call of any other kind was given, and those that it returned.
    pub(super) given: Vec<Measure>,
    pub(super) returned: Vec<Measure>,
    /// What could not be read, and is content like any other.
    pub(super) unread: Vec<Unread<'a>>,
    /// What may stay where it is.
    pub(super) kept: Vec<EditId>,
}

impl<'a> Found<'a> {
    /// Of a name that stands twice the last value counts. The value was left out by `edit`.
    pub(super) fn add(&mut self, slot: Slot, view: AnyView<'a>, edit: EditId) {
        self.values.retain(|known| known.slot != slot);
        self.values.push(Value { slot, view, edit, is_told: false });
    }

    /// Adds content in another dialect, which was left out by `edit`.
    pub(super) fn add_foreign(&mut self, place: Place, key: &'a str, view: AnyView<'a>, edit: EditId) {
        self.foreign.add(place, key, view, edit);
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.values.is_empty() && self.foreign.is_empty()
    }

    /// Reads all of it. What `is_told` says to be told already is not told again, and not read unless text of it is shown.
    /// `about` is asked where content stands in another dialect: which call it is, and whether attributes of it are lost.
    pub(super) fn tell(
        mut self,
        telling: Telling<'_>,
        about: impl Fn() -> (Option<CallKind>, bool),
        is_told: impl Fn(&[KeyId]) -> bool,
    ) -> Told<'a> {
        let mut kind = None;
        if !self.foreign.is_empty() {
            let is_cut;
            (kind, is_cut) = about();
            self.foreign.settle(kind, is_cut, &is_told);
        }
        let (given, returned) = match kind.filter(|kind| texts::has_texts(Some(*kind))) {
            Some(kind) => (
                self.foreign.given().map(|texts| telling.given(kind, &texts)),
                self.foreign.returned().map(|texts| telling.returned(kind, &texts)),
            ),
            None => (None, None),
        };
        let [has_given, has_returned] =
            [&given, &returned].map(|told| told.as_ref().is_some_and(|told| !told.is_empty()));
        self.foreign.is_told_by_texts(has_given, has_returned);
        // What is shown of texts and what is shown of messages have one name, too.
        self.values.retain(|value| match value.slot {
            Slot::Input | Slot::Prompt => !has_given,
            Slot::Output | Slot::Completion => !has_returned,
            _ => true,
        });
        let is_beside = |slot| has_given && matches!(slot, Slot::System | Slot::Tools);
        let told = |slot: Slot| is_beside(slot) || is_told(slot.told_by());
        self.values.iter_mut().for_each(|value| value.is_told = told(value.slot));
        self.values.retain(|value| !value.is_told || value.slot.class().is_some_and(|class| telling.shows(class)));
        let input = self.input(telling).unwrap_or_default();
        let output = self.output(telling).unwrap_or_default();
        let arguments = self.arguments(telling).unwrap_or_default();
        let result = self.result(telling).unwrap_or_default();
        let own = self.unread.into_iter().map(|Value { slot, view, edit, is_told }| Unread {
            key: slot.key(),
            class: slot.class(),
            view,
            edit,
            is_told,
            reads: slot.reads(),
        });
        let kind = self.foreign.kind();
        let foreign = self.foreign.into_values().into_iter().map(|value| Unread {
            reads: value.reads(kind),
            key: value.key,
            class: value.class(),
            view: value.view,
            edit: value.edit,
            is_told: value.is_told,
        });
        Told {
            input,
            output,
            arguments,
            result,
            given: given.unwrap_or_default(),
            returned: returned.unwrap_or_default(),
            unread: own.chain(foreign).collect(),
            kept: self.kept,
        }
    }

    fn input(&mut self, telling: Telling<'_>) -> Option<Input> {
        let mut is_whole = true;
        let (newer, at_newer) = self.read(Slot::Input, read::messages).unzip();
        let (mut request, at_request) = match newer {
            // What the newer name says holds; the older one is content like any other.
            Some(messages) if !messages.is_empty() => {
                self.read(Slot::Prompt, |_| None::<()>);
                (Some(Request { messages, ..Request::default() }), at_newer)
            }
            None if self.stands_unread(Slot::Input, telling, Field::Prompts) => {
                self.read(Slot::Prompt, |_| None::<()>);
                (None, None)
            }
            // An empty list says nothing, and nothing is left of it: what stands beside it is what was said.
            newer => match self.read(Slot::Prompt, read::prompt) {
                Some((request, at)) => (Some(request), Some(at)),
                None => match self.foreign.request() {
                    Some((request, is_all)) => {
                        is_whole = is_all;
                        (Some(request), None)
                    }
                    None => (newer.map(|messages| Request { messages, ..Request::default() }), at_newer),
                },
            },
        };
        let has_messages = request.is_some();
        let (system, at_system) = self.read(Slot::System, read::system).unzip();
        if let Some(system) = system {
            request.get_or_insert_default().system.extend(system);
        }
        let (tools, at_tools) = self.read(Slot::Tools, read::tools).unzip();
        let is_beside = self.stands_unread(Slot::Tools, telling, Field::System);
        if let Some(tools) = tools.or_else(|| if is_beside { None } else { self.foreign.tools() }) {
            request.get_or_insert_default().tools.extend(tools);
        }
        let mut input = telling.keyframe(&request?);
        let is_part = |value: &Value<'_>| matches!(value.slot, Slot::Input | Slot::System | Slot::Tools);
        if !has_messages || !is_whole || self.unread.iter().any(is_part) {
            // A chain stands for the whole input, and this is not known to be that.
            input.chain = None;
        }
        // The names that tell of a request are of one piece, so one value speaks for all.
        let is_told = [&at_request, &at_system, &at_tools].into_iter().flatten().any(|value| value.is_told);
        if is_told {
            let Input { shown, system, tools_shown, .. } = input;
            input = Input {
                shown,
                system: Measure { shown: system.shown, ..Measure::default() },
                tools_shown,
                ..Input::default()
            };
        }
        self.forget_older(Slot::Prompt, telling.shows(Field::Prompts), &input.shown);
        self.keep(at_request, &mut input.shown);
        self.keep(at_system, &mut input.system.shown);
        self.keep(at_tools, &mut input.tools_shown);
        Some(input)
    }

    fn output(&mut self, telling: Telling<'_>) -> Option<Output> {
        let ((messages, reasons), at) = match self.read(Slot::Output, read::answer) {
            Some(found) if !found.0.0.is_empty() => {
                self.read(Slot::Completion, |_| None::<()>);
                found
            }
            None if self.stands_unread(Slot::Output, telling, Field::Completions) => {
                self.read(Slot::Completion, |_| None::<()>);
                return None;
            }
            // As with what a model was sent.
            newer => match self.read(Slot::Completion, read::completion) {
                Some(found) => found,
                None => match self.foreign.answer() {
                    Some((messages, reasons)) => return Some(answer(telling, &messages, &reasons)),
                    None => newer?,
                },
            },
        };
        let mut output = answer(telling, &messages, &reasons);
        if at.is_told {
            output = Output { shown: output.shown, ..Output::default() };
        }
        self.forget_older(Slot::Completion, telling.shows(Field::Completions), &output.shown);
        self.keep(Some(at), &mut output.shown);
        Some(output)
    }

    fn arguments(&mut self, telling: Telling<'_>) -> Option<Arguments> {
        let ((text, is_exact), at) = match self.read(Slot::Arguments, read::arguments) {
            Some((found, at)) => (found, Some(at)),
            None if self.stands_unread(Slot::Arguments, telling, Field::ToolArguments) => return None,
            None => (self.foreign.arguments()?, None),
        };
        let mut told = telling.arguments(&text);
        if !is_exact {
            told.exact = None;
        }
        if at.as_ref().is_some_and(|at| at.is_told) {
            told = Arguments { shown: told.shown, ..Arguments::default() };
        }
        self.keep(at, &mut told.shown);
        Some(told)
    }

    fn result(&mut self, telling: Telling<'_>) -> Option<Measure> {
        let (result, at) = match self.read(Slot::Result, read::result) {
            Some((found, at)) => (found, Some(at)),
            None if self.stands_unread(Slot::Result, telling, Field::ToolResults) => return None,
            None => (self.foreign.result()?, None),
        };
        let mut told = telling.result(&result);
        if at.as_ref().is_some_and(|at| at.is_told) {
            told = Measure { shown: told.shown, ..Measure::default() };
        }
        self.keep(at, &mut told.shown);
        Some(told)
    }

    /// Whether a value that nobody could read may stay, so that nothing else can be told by its name.
    fn stands_unread(&self, slot: Slot, telling: Telling<'_>, class: Field) -> bool {
        let may_stay = |value: &Value<'_>| match &value.view {
            _ if value.slot != slot => false,
            AnyView::Bytes(bytes) => telling.whole_bytes(telling.level(class), bytes),
            _ => true,
        };
        telling.shows(class) && self.unread.iter().any(may_stay)
    }

    /// An older name that stands alone is read for what the newer one would say. Where nothing of the newer one stays, the
    /// older one beside it, which said something else, does not stay either.
    fn forget_older(&mut self, older: Slot, may_stay: bool, newer: &Shown) {
        if may_stay && newer.content().is_none() {
            self.unread.retain(|value| value.slot != older);
        }
    }

    /// Lets a value stand where it is, if that is what would be written of it.
    fn keep(&mut self, at: Option<Value<'a>>, shown: &mut Shown) {
        if let Some(Value { slot, view: AnyView::Text(text), edit, .. }) = at
            && !matches!(slot, Slot::Prompt | Slot::Completion)
            && shown.content().is_some_and(|content| *content == text)
        {
            self.kept.push(edit);
            shown.clear_content();
        }
    }

    /// The content of a slot; kept as unread where it is not what it should be.
    fn read<T>(&mut self, slot: Slot, read: impl Fn(&AnyView<'a>) -> Option<T>) -> Option<(T, Value<'a>)> {
        let place = self.values.iter().position(|known| known.slot == slot)?;
        let value = self.values.swap_remove(place);
        let Some(found) = read(&value.view) else {
            self.unread.push(value);
            return None;
        };
        Some((found, value))
    }
}

/// What a model answered, and why each message ended in words that may leave. What looks like a label may be a key or an
/// address all the same.
fn answer(telling: Telling<'_>, messages: &[Message], reasons: &[String]) -> Output {
    let other = OTHER;
    let reasons =
        reasons.iter().map(|reason| if stays_under(telling.policy, reason) { reason.as_str() } else { &*other });
    let reasons: Vec<&str> = reasons.collect();
    telling.answer(messages, &reasons)
}
