//! From the texts that fields held to what a model or a tool was told, and told.

use serde_json::Value;

use super::held::Held;
use crate::event::shape::flat::{Flat, FlatTools, List, Part, PartText};
use crate::event::{Message, RawText, Request, ResultContent, Role, shape};
use crate::intake;
use crate::semconv::Said;

/// The content of one span, as its fields gave it.
#[derive(Default)]
pub(super) struct Content {
    input_messages: Option<Held>,
    output_messages: Option<Held>,
    system: Option<Held>,
    tools: Option<Held>,
    arguments: Option<Held>,
    result: Option<Held>,
    query: Option<Held>,
    documents: Option<Held>,
    input: Option<Held>,
    output: Option<Held>,
    flat_input: Flat<Held>,
    flat_output: Flat<Held>,
    flat_tools: FlatTools<Held>,
}

impl Content {
    pub(super) fn set(&mut self, said: Said, held: Held) {
        *self.place(said) = Some(held);
    }

    pub(super) fn set_part(&mut self, list: List, number: u16, part: Part, held: Held) {
        match list {
            List::Input => self.flat_input.set(number, part, held),
            List::Output => self.flat_output.set(number, part, held),
            List::Tools => self.flat_tools.set(number, part, held),
        }
    }

    /// All of its texts.
    pub(super) fn texts_mut(&mut self) -> impl Iterator<Item = &mut Held> {
        let Self { input_messages, output_messages, system, tools, arguments, .. } = self;
        let Self { result, query, documents, input, output, flat_input, flat_output, flat_tools, .. } = self;
        let told = [input_messages, system, tools, arguments, query, input];
        let answered = [output_messages, result, documents, output];
        let flat = flat_input.texts_mut().chain(flat_output.texts_mut()).chain(flat_tools.texts_mut());
        told.into_iter().chain(answered).flatten().chain(flat)
    }

    const fn place(&mut self, said: Said) -> &mut Option<Held> {
        match said {
            Said::InputMessages => &mut self.input_messages,
            Said::OutputMessages => &mut self.output_messages,
            Said::System => &mut self.system,
            Said::Tools => &mut self.tools,
            Said::Arguments => &mut self.arguments,
            Said::Result => &mut self.result,
            Said::Query => &mut self.query,
            Said::Documents => &mut self.documents,
            Said::Input => &mut self.input,
            Said::Output => &mut self.output,
        }
    }

    pub(super) fn merge(&mut self, mut newer: Self) {
        const ALL: [Said; 10] = [
            Said::InputMessages,
            Said::OutputMessages,
            Said::System,
            Said::Tools,
            Said::Arguments,
            Said::Result,
            Said::Query,
            Said::Documents,
            Said::Input,
            Said::Output,
        ];
        for said in ALL {
            if let Some(text) = newer.place(said).take() {
                *self.place(said) = Some(text);
            }
        }
        self.flat_input.merge(newer.flat_input);
        self.flat_output.merge(newer.flat_output);
        self.flat_tools.merge(newer.flat_tools);
    }

    /// Whether there is something that came back.
    pub(super) fn has_answer(&self) -> bool {
        self.output_messages.is_some()
            || self.result.is_some()
            || self.documents.is_some()
            || self.output.is_some()
            || !self.flat_output.is_empty()
    }

    /// Whether it is the content of a tool call.
    pub(super) const fn is_of_tool(&self) -> bool {
        self.arguments.is_some() || self.result.is_some()
    }

    /// Whether it is the content of an inference.
    pub(super) fn is_of_inference(&self) -> bool {
        self.input_messages.is_some()
            || self.output_messages.is_some()
            || !self.flat_input.is_empty()
            || !self.flat_output.is_empty()
    }

    /// What a model was sent, and what it answered; the answer goes into a list that is empty.
    pub(super) fn into_inference(self, answer: &mut Vec<Message>) -> Option<Box<Request>> {
        let mut request = intake::request();
        match (self.input_messages, self.input) {
            (Some(messages), _) => read(messages, Role::User, shape::genai::messages, &mut request.messages),
            (None, _) if !self.flat_input.is_empty() => {
                request.messages = self.flat_input.into_messages(Role::User).0;
            }
            (None, Some(whole)) => whole_request(whole, &mut request),
            (None, None) => {}
        }
        if let Some(system) = self.system {
            request.system = match system.json() {
                Some(value) => shape::genai::system(value),
                None => vec![system.into_raw()],
            };
        }
        match self.tools.and_then(|tools| tools.json()) {
            Some(value) => request.tools = shape::genai::tools(value),
            None => request.tools.extend(self.flat_tools.into_tools().unwrap_or_default()),
        }
        match (self.output_messages, self.output) {
            (Some(messages), _) => read(messages, Role::Assistant, shape::genai::messages, answer),
            (None, _) if !self.flat_output.is_empty() => *answer = self.flat_output.into_messages(Role::Assistant).0,
            (None, Some(whole)) => read(whole, Role::Assistant, shape::answer, answer),
            (None, None) => {}
        }
        let is_empty = request.messages.is_empty() && request.system.is_empty() && request.tools.is_empty();
        (!is_empty).then_some(request)
    }

    /// What a tool was called with, and what it returned.
    pub(super) fn into_tool(self) -> (Option<RawText>, Option<ResultContent>) {
        let arguments = self.arguments.or(self.input).map(Held::into_raw);
        let result = self.result.or(self.output).map(|text| ResultContent::Text(text.into_raw()));
        (arguments, result)
    }

    /// What was looked for or embedded, and what was found.
    pub(super) fn into_texts(self) -> (Vec<ResultContent>, Vec<ResultContent>) {
        let given = self.query.or(self.input).map(elements).unwrap_or_default();
        (given, self.documents.or(self.output).map(elements).unwrap_or_default())
    }
}

/// The elements of a JSON array, each a text, or the text as a whole.
fn elements(held: Held) -> Vec<ResultContent> {
    let texts = match held.json() {
        Some(Value::Array(elements)) => elements.into_iter().map(shape::json::into_text),
        _ => return vec![ResultContent::Text(held.into_raw())],
    };
    texts.map(ResultContent::Text).collect()
}

/// Reads a text into a list that is empty, and in whose memory the one message of most texts is put.
fn read(held: Held, role: Role, read: impl FnOnce(Value) -> Vec<Message>, messages: &mut Vec<Message>) {
    match held.json() {
        Some(value) => *messages = read(value),
        None => messages.push(Message::text(role, held.into_raw())),
    }
}

fn whole_request(held: Held, request: &mut Request) {
    match held.json() {
        None => request.messages.push(Message::text(Role::User, held.into_raw())),
        Some(value) if is_request(&value) => *request = shape::request(value).unwrap_or_default(),
        Some(value) => request.messages = shape::messages(value),
    }
}

fn is_request(value: &Value) -> bool {
    value.is_array() || ["messages", "input", "prompt"].iter().any(|key| value.get(key).is_some_and(|it| !it.is_null()))
}
