//! Messages from their parts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::PartText;
use super::name::{OfBlock, OfCall, Part};
use crate::event::shape::{call, part as block};
use crate::event::{self, Message, RawText, ResultContent, Role};

/// Messages that are being put together.
pub(crate) struct Flat<T>(BTreeMap<u16, Parts<T>>);

struct Parts<T> {
    role: Option<Role>,
    reasoning: Option<T>,
    content: Option<T>,
    blocks: BTreeMap<u16, Block<T>>,
    calls: BTreeMap<u16, Call<T>>,
    all_calls: Option<T>,
    call_id: Option<T>,
}

struct Block<T> {
    is_thought: bool,
    text: Option<T>,
    image: Option<T>,
}

struct Call<T> {
    id: Option<T>,
    name: Option<T>,
    arguments: Option<T>,
}

impl<T> Default for Flat<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Default for Parts<T> {
    fn default() -> Self {
        let (blocks, calls) = (BTreeMap::new(), BTreeMap::new());
        Self { role: None, reasoning: None, content: None, blocks, calls, all_calls: None, call_id: None }
    }
}

impl<T> Default for Block<T> {
    fn default() -> Self {
        Self { is_thought: false, text: None, image: None }
    }
}

impl<T> Default for Call<T> {
    fn default() -> Self {
        Self { id: None, name: None, arguments: None }
    }
}

impl<T: PartText> Flat<T> {
    pub(crate) fn set(&mut self, number: u16, part: Part, text: T) {
        let parts = self.0.entry(number).or_default();
        match part {
            Part::Role => parts.role = text.text().map(Role::from_word),
            Part::Content => parts.content = Some(text),
            Part::Reasoning => parts.reasoning = Some(text),
            Part::CallId => parts.call_id = Some(text),
            Part::Calls => parts.all_calls = Some(text),
            Part::Block(number, of_block) => {
                let block = parts.blocks.entry(number).or_default();
                match of_block {
                    OfBlock::Kind => block.is_thought = matches!(text.text(), Some("reasoning" | "thinking")),
                    OfBlock::Text => block.text = Some(text),
                    OfBlock::Image => block.image = Some(text),
                }
            }
            Part::Call(number, of_call) => {
                let call = parts.calls.entry(number).or_default();
                let place = match of_call {
                    OfCall::Id => &mut call.id,
                    OfCall::Name => &mut call.name,
                    OfCall::Arguments => &mut call.arguments,
                };
                *place = Some(text);
            }
            // An attribute of the call, and nothing of a message.
            Part::FinishReason | Part::Tool(_) => {}
        }
    }

    pub(crate) fn merge(&mut self, newer: Self) {
        for (number, newer) in newer.0 {
            let known = self.0.entry(number).or_default();
            known.role = newer.role.or(known.role);
            known.reasoning = newer.reasoning.or(known.reasoning.take());
            known.content = newer.content.or(known.content.take());
            known.call_id = newer.call_id.or(known.call_id.take());
            known.all_calls = newer.all_calls.or(known.all_calls.take());
            known.blocks.extend(newer.blocks);
            for (number, newer) in newer.calls {
                let call = known.calls.entry(number).or_default();
                call.id = newer.id.or(call.id.take());
                call.name = newer.name.or(call.name.take());
                call.arguments = newer.arguments.or(call.arguments.take());
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of its texts.
    pub(crate) fn texts_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.values_mut().flat_map(|parts| {
            let Parts { role: _, reasoning, content, blocks, calls, all_calls, call_id } = parts;
            let calls = calls.values_mut().flat_map(|Call { id, name, arguments }| [id, name, arguments]);
            let blocks = blocks.values_mut().flat_map(|Block { is_thought: _, text, image }| [text, image]);
            [reasoning, content, all_calls, call_id].into_iter().chain(calls).chain(blocks).flatten()
        })
    }

    /// The messages in the order of their numbers, and whether they are all that their numbers speak of. One without a
    /// role is `role`'s.
    pub(crate) fn into_messages(self, role: Role) -> (Vec<Message>, bool) {
        let is_without_gap = self.0.keys().copied().eq(0..u16::try_from(self.0.len()).unwrap_or(u16::MAX));
        let count = self.0.len();
        let messages = self.0.into_values().map(|parts| parts.into_message(role));
        let messages: Vec<Message> = messages.filter(|message| !message.parts.is_empty()).collect();
        let is_whole = is_without_gap && messages.len() == count;
        (messages, is_whole)
    }
}

impl<T: PartText> Parts<T> {
    fn into_message(self, role: Role) -> Message {
        let role = self.role.unwrap_or(role);
        let mut parts: Vec<_> =
            self.reasoning.map(|text| event::Part::Reasoning(text.into_raw())).into_iter().collect();
        parts.extend(self.content.map(|text| event::Part::Text(text.into_raw())));
        self.blocks.into_values().for_each(|block| block.push(&mut parts));
        // The whole message of a tool is the result.
        if role == Role::Tool {
            let content = match <[event::Part; 1]>::try_from(parts) {
                Ok([event::Part::Text(text)]) => ResultContent::Text(text),
                Ok(one) => ResultContent::Parts(one.into()),
                Err(several) => ResultContent::Parts(several),
            };
            parts = vec![event::Part::ToolResult { call_id: self.call_id.map(T::into_raw), content }];
        }
        parts.extend(self.calls.into_values().filter_map(|call| {
            let arguments = call.arguments.map_or_else(|| RawText::from_static(""), T::into_raw);
            Some(event::Part::ToolCall { id: call.id.map(T::into_raw), name: call.name?.into_raw(), arguments })
        }));
        parts.extend(self.all_calls.into_iter().flat_map(all_calls));
        Message { role, parts }
    }
}

impl<T: PartText> Block<T> {
    fn push(self, parts: &mut Vec<event::Part>) {
        parts.extend(self.text.map(|text| {
            let text = text.into_raw();
            if self.is_thought { event::Part::Reasoning(text) } else { event::Part::Text(text) }
        }));
        if let Some(image) = self.image {
            match image.text() {
                // Bytes where the URL holds them, and a reference else, as in every other shape.
                Some(url) => block::push(json!({"type": "image_url", "image_url": {"url": url}}), 0, parts),
                None => parts.push(event::Part::Reference(image.into_raw())),
            }
        }
    }
}

/// The calls of a JSON list; what is none stays one text.
fn all_calls(text: impl PartText) -> Vec<event::Part> {
    match text.text().and_then(|text| serde_json::from_str(text).ok()) {
        Some(Value::Array(calls)) => {
            calls.into_iter().map(|found| call::call(found).unwrap_or_else(block::other)).collect()
        }
        _ => vec![event::Part::Other(text.into_raw())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_or_an_empty_message_is_not_all_that_was_said() {
        let of = |parts: &[(u16, Part, &'static str)]| {
            let mut flat = Flat::default();
            parts.iter().for_each(|(number, part, text)| flat.set(*number, *part, *text));
            let (messages, is_whole) = flat.into_messages(Role::User);
            (messages.len(), is_whole)
        };
        assert_eq!(of(&[(1, Part::Content, "b"), (0, Part::Content, "a")]), (2, true));
        assert_eq!(of(&[(1, Part::Content, "b"), (2, Part::Content, "c")]), (2, false));
        assert_eq!(of(&[(0, Part::Content, "a"), (1, Part::Role, "user")]), (1, false));
    }
}
