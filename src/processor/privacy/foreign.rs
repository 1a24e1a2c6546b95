//! Content in the attributes of other dialects: messages in many attributes, whole requests and answers.
//!
//! Of several that tell of the same the first that can be read counts: messages part by part, messages as a list, a whole
//! request. What is told of stays beside it as far as its level lets whole content stay; what is not is content like any
//! other. A chain is told where all messages are known to be there.

use std::collections::BTreeMap;

use super::contract::{ARGUMENTS, INPUT, OUTPUT, RESULT, Reads};
use super::read;
use super::splice::EditId;
use super::texts::{self, Of, Texts};
use crate::event::shape::flat::{self, Flat, FlatTools, List, Part};
use crate::event::{CallKind, Message, RawText, Request, ResultContent, Role, ToolDefinition};
use crate::otlp::AnyView;
use crate::privacy::{OTHER, is_label};
use crate::semconv::{Class, Field, KeyId, Said, lookup, said};

/// What an attribute of a span has, by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Said(Said),
    Part(List, u16, Part),
    Text(Of, u16),
}

/// Where content of this name belongs, if it is known.
pub(super) fn place(key: &str, value: &AnyView<'_>) -> Option<Place> {
    if let Some(said) = said(key) {
        return Some(Place::Said(said));
    }
    let part = || flat::meaning(key).map(|(list, number, part)| Place::Part(list, number, part));
    let place = texts::numbered(key).map(|(of, number)| Place::Text(of, number)).or_else(part);
    place.filter(|_| matches!(value, AnyView::Text(_)))
}

/// One value, where it stands.
pub(super) struct Value<'a> {
    place: Place,
    pub(super) key: &'a str,
    pub(super) view: AnyView<'a>,
    pub(super) edit: EditId,
    pub(super) is_told: bool,
}

impl Value<'_> {
    /// The class of a name of the conventions; of any other any.
    pub(super) fn class(&self) -> Option<Field> {
        match lookup(self.key)?.name().class {
            Class::Content(class) => Some(class),
            _ => None,
        }
    }

    /// Whether a value is what its name promises in a call of this kind.
    pub(super) const fn reads(&self, kind: Option<CallKind>) -> Reads {
        match (self.place, kind) {
            (Place::Said(Said::InputMessages), _) => |value| read::messages(value).is_some(),
            (Place::Said(Said::OutputMessages), _) => |value| read::completion(value).is_some(),
            (Place::Said(Said::Tools), _) => |value| read::listed_tools(value).is_some(),
            (Place::Said(Said::Input), Some(CallKind::Inference)) => |value| read::prompt(value).is_some(),
            (Place::Said(Said::Output), Some(CallKind::Inference)) => |value| read::completion(value).is_some(),
            (Place::Said(Said::Input | Said::Output), Some(CallKind::Turn | CallKind::Workflow)) => {
                |value| text(value).is_some()
            }
            (Place::Said(Said::Arguments | Said::Result), _)
            | (Place::Said(Said::Input | Said::Output), Some(CallKind::Tool)) => {
                |value| read::arguments(value).is_some()
            }
            _ => |_| false,
        }
    }
}

/// What was told before this came here.
#[derive(Default)]
struct Before {
    input: bool,
    output: bool,
    arguments: bool,
    result: bool,
}

/// All of a span.
#[derive(Default)]
pub(super) struct Foreign<'a> {
    input: Flat<&'a str>,
    output: Flat<&'a str>,
    tools: FlatTools<&'a str>,
    reasons: BTreeMap<u16, &'a str>,
    texts: Texts<'a>,
    values: Vec<Value<'a>>,
    kind: Option<CallKind>,
    told: Before,
    /// Whether attributes of the span were lost before it came here.
    is_cut: bool,
}

impl<'a> Foreign<'a> {
    pub(super) fn add(&mut self, place: Place, key: &'a str, view: AnyView<'a>, edit: EditId) {
        if let (Place::Part(list, number, part), AnyView::Text(text)) = (place, &view) {
            match list {
                List::Output if part == Part::FinishReason => drop(self.reasons.insert(number, *text)),
                List::Input => self.input.set(number, part, *text),
                List::Output => self.output.set(number, part, *text),
                List::Tools => self.tools.set(number, part, *text),
            }
        }
        if let (Place::Text(of, number), AnyView::Text(text)) = (place, &view) {
            self.texts.set(of, number, text);
        }
        self.values.push(Value { place, key, view, edit, is_told: false });
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Which call it is, where that was settled.
    pub(super) const fn kind(&self) -> Option<CallKind> {
        self.kind
    }

    /// Before anything is read: which call it is, whether all attributes are there, and what has been told before.
    pub(super) fn settle(&mut self, kind: Option<CallKind>, is_cut: bool, is_told: impl Fn(&[KeyId]) -> bool) {
        (self.kind, self.is_cut) = (kind, is_cut);
        self.told = Before {
            input: is_told(INPUT),
            output: is_told(OUTPUT),
            arguments: is_told(ARGUMENTS),
            result: is_told(RESULT),
        };
        let is_call = matches!(kind, Some(CallKind::Inference | CallKind::Turn | CallKind::Workflow));
        let is_tool = kind == Some(CallKind::Tool);
        if texts::has_texts(kind) {
            if self.told.input {
                self.pass_texts(Of::Given, Said::Query, Said::Input);
                self.pass(Some(List::Input), Said::InputMessages, None);
                self.pass(Some(List::Tools), Said::Tools, None);
            }
            if self.told.output {
                self.pass_texts(Of::Returned, Said::Documents, Said::Output);
                self.pass(Some(List::Output), Said::OutputMessages, None);
            }
        } else {
            if self.told.input {
                self.pass(Some(List::Input), Said::InputMessages, is_call.then_some(Said::Input));
                self.pass(Some(List::Tools), Said::Tools, None);
            }
            if self.told.output {
                self.pass(Some(List::Output), Said::OutputMessages, is_call.then_some(Said::Output));
            }
        }
        if self.told.arguments {
            self.pass(None, Said::Arguments, is_tool.then_some(Said::Input));
        }
        if self.told.result {
            self.pass(None, Said::Result, is_tool.then_some(Said::Output));
        }
    }

    /// What a call is told by is texts: messages beside them tell nothing, since one name has room for one of the two.
    pub(super) const fn is_told_by_texts(&mut self, given: bool, returned: bool) {
        self.told.input |= given;
        self.told.output |= returned;
    }

    /// What a model was sent, or another call was given, and whether that is all of it.
    pub(super) fn request(&mut self) -> Option<(Request, bool)> {
        if self.told.input {
            return None;
        }
        let of_messages = |messages| Request { messages, ..Request::default() };
        if !self.input.is_empty() {
            let (messages, is_whole) = std::mem::take(&mut self.input).into_messages(Role::User);
            self.tell_parts(List::Input);
            return (!messages.is_empty()).then(|| (of_messages(messages), is_whole && !self.is_cut));
        }
        if let Some(messages) = self.read(Said::InputMessages, read::messages) {
            return Some((of_messages(messages), true));
        }
        match self.kind? {
            CallKind::Inference => self.read(Said::Input, read::prompt).map(|request| (request, true)),
            CallKind::Turn | CallKind::Workflow => {
                let text = self.read(Said::Input, text)?;
                Some((of_messages(vec![Message::text(Role::User, text)]), true))
            }
            _ => None,
        }
    }

    /// The tools that a model may call.
    pub(super) fn tools(&mut self) -> Option<Vec<ToolDefinition>> {
        if self.told.input {
            return None;
        }
        if !self.tools.is_empty() {
            let tools = std::mem::take(&mut self.tools).into_tools()?;
            self.tell_parts(List::Tools);
            return Some(tools);
        }
        self.read(Said::Tools, read::listed_tools)
    }

    /// What a model answered, or another call returned, and why each message ended.
    pub(super) fn answer(&mut self) -> Option<(Vec<Message>, Vec<String>)> {
        if self.told.output {
            return None;
        }
        if !self.output.is_empty() {
            let (messages, _) = std::mem::take(&mut self.output).into_messages(Role::Assistant);
            self.tell_parts(List::Output);
            let reason = |text: &str| if is_label(text) { text.to_owned() } else { OTHER.to_string() };
            let reasons = std::mem::take(&mut self.reasons).into_values().map(reason).collect();
            return (!messages.is_empty()).then_some((messages, reasons));
        }
        // Why it ended has a name of its own in these dialects.
        let messages = match self.read(Said::OutputMessages, read::completion) {
            Some((messages, _)) => messages,
            None => match self.kind? {
                CallKind::Inference => self.read(Said::Output, read::completion)?.0,
                CallKind::Turn | CallKind::Workflow => {
                    vec![Message::text(Role::Assistant, self.read(Said::Output, text)?)]
                }
                _ => return None,
            },
        };
        Some((messages, Vec::new()))
    }

    /// What a tool was called with, and whether somebody wrote it so.
    pub(super) fn arguments(&mut self) -> Option<(RawText, bool)> {
        if self.told.arguments { None } else { self.of_tool(Said::Arguments, Said::Input) }
    }

    /// What it returned.
    pub(super) fn result(&mut self) -> Option<ResultContent> {
        let found = if self.told.result { None } else { self.of_tool(Said::Result, Said::Output) };
        found.map(|(text, _)| ResultContent::Text(text))
    }

    /// The texts that a call of another kind was given: what was embedded or looked for.
    pub(super) fn given(&mut self) -> Option<Vec<ResultContent>> {
        if self.told.input || !texts::has_texts(self.kind) {
            return None;
        }
        self.texts(Of::Given, Said::Query, Said::Input)
    }

    /// The texts that it returned. What was embedded became numbers.
    pub(super) fn returned(&mut self) -> Option<Vec<ResultContent>> {
        if self.told.output || !texts::has_texts(self.kind) || self.kind == Some(CallKind::Embeddings) {
            return None;
        }
        self.texts(Of::Returned, Said::Documents, Said::Output)
    }

    fn texts(&mut self, of: Of, own: Said, whole: Said) -> Option<Vec<ResultContent>> {
        if let Some(texts) = self.texts.take(of) {
            self.tell_texts(of);
            return Some(texts);
        }
        let found = match own {
            Said::Documents => self.read(own, texts::documents),
            _ => self.read(own, texts::one),
        };
        found.or_else(|| self.read(whole, texts::one))
    }

    fn tell_texts(&mut self, of: Of) {
        let texts = self.values.iter_mut().filter(|value| matches!(value.place, Place::Text(list, _) if list == of));
        texts.for_each(|value| value.is_told = true);
    }

    /// Who saw this first has told of it in the same order.
    fn pass_texts(&mut self, of: Of, own: Said, whole: Said) {
        if self.values.iter().any(|value| matches!(value.place, Place::Text(list, _) if list == of)) {
            return self.tell_texts(of);
        }
        let is_read = |value: &AnyView<'a>| match own {
            Said::Documents => texts::documents(value).is_some(),
            _ => texts::one(value).is_some(),
        };
        let has_own = self.values.iter().any(|value| value.place == Place::Said(own) && is_read(&value.view));
        let told = if has_own { own } else { whole };
        self.values.iter_mut().filter(|value| value.place == Place::Said(told)).for_each(|value| value.is_told = true);
    }

    /// All values, told or not.
    pub(super) fn into_values(self) -> Vec<Value<'a>> {
        self.values
    }

    fn of_tool(&mut self, own: Said, whole: Said) -> Option<(RawText, bool)> {
        let found = self.read(own, read::arguments);
        if found.is_some() || self.kind != Some(CallKind::Tool) {
            return found;
        }
        self.read(whole, read::arguments)
    }

    /// The first value that can be read as this.
    fn read<T>(&mut self, said: Said, read: impl Fn(&AnyView<'a>) -> Option<T>) -> Option<T> {
        let mut values = self.values.iter_mut().filter(|value| value.place == Place::Said(said));
        values.find_map(|value| {
            let found = read(&value.view)?;
            value.is_told = true;
            Some(found)
        })
    }

    fn tell_parts(&mut self, of: List) {
        let parts = self.values.iter_mut().filter(|value| matches!(value.place, Place::Part(list, ..) if list == of));
        parts.for_each(|value| value.is_told = true);
    }

    /// Who saw this first has told of it: by its parts, else by one value of its own, else by the whole.
    fn pass(&mut self, list: Option<List>, own: Said, whole: Option<Said>) {
        let is_part = |value: &Value<'_>| matches!(value.place, Place::Part(of, ..) if Some(of) == list);
        let is = |said: Said| move |value: &Value<'_>| value.place == Place::Said(said);
        let has_parts = list.is_some_and(|list| match list {
            List::Input => !self.input.is_empty(),
            List::Output => !self.output.is_empty(),
            List::Tools => !self.tools.is_empty(),
        });
        if has_parts {
            self.values.iter_mut().filter(|value| is_part(value)).for_each(|value| value.is_told = true);
            return;
        }
        let is_read = |value: &Value<'a>| is(own)(value) && value.reads(self.kind)(&value.view);
        let own = Some(own).filter(|_| self.values.iter().any(is_read));
        if let Some(told) = own.or(whole) {
            self.values.iter_mut().filter(|value| is(told)(value)).for_each(|value| value.is_told = true);
        }
    }
}

fn text(value: &AnyView<'_>) -> Option<RawText> {
    match value {
        AnyView::Text(text) => Some(RawText::from(*text)),
        _ => None,
    }
}
