//! Messages that stand in many fields, one for each part: `gen_ai.prompt.0.content`, `llm.input_messages.0.message.role`.

use super::held::Held;
use crate::event::{self, Message, RawText, ResultContent, Role};

/// Which list of messages a field belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Input,
    Output,
}

/// What a field says of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Role,
    Content,
    /// One of several texts.
    Text(u16),
    /// Something of one of its tool calls.
    Call(u16, OfCall),
    /// Which call it is the result of.
    CallId,
    FinishReason,
}

/// What a field says of a tool call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfCall {
    Id,
    Name,
    Arguments,
}

/// The list, the number and the part that a name stands for.
pub(super) fn meaning(name: &str) -> Option<(List, u16, Part)> {
    const LISTS: [(&str, List); 6] = [
        ("gen_ai.prompt.", List::Input),
        ("gen_ai.completion.", List::Output),
        ("llm.input_messages.", List::Input),
        ("llm.output_messages.", List::Output),
        ("llm.prompts.", List::Input),
        ("llm.choices.", List::Output),
    ];
    let (rest, list) = LISTS.iter().find_map(|(prefix, list)| Some((name.strip_prefix(prefix)?, *list)))?;
    let (number, part) = numbered(rest)?;
    let part = match part.strip_prefix("message.").unwrap_or(part) {
        "role" => Part::Role,
        "content" | "prompt.text" | "completion.text" => Part::Content,
        "tool_call_id" => Part::CallId,
        "finish_reason" => Part::FinishReason,
        inner => inner_part(inner)?,
    };
    Some((list, number, part))
}

fn inner_part(name: &str) -> Option<Part> {
    if let Some(rest) = name.strip_prefix("contents.") {
        let (number, part) = numbered(rest)?;
        return (part == "message_content.text").then_some(Part::Text(number));
    }
    let (number, part) = numbered(name.strip_prefix("tool_calls.")?)?;
    let part = match part.strip_prefix("tool_call.").unwrap_or(part) {
        "id" => OfCall::Id,
        "name" | "function.name" => OfCall::Name,
        "arguments" | "function.arguments" => OfCall::Arguments,
        _ => return None,
    };
    Some(Part::Call(number, part))
}

fn numbered(name: &str) -> Option<(u16, &str)> {
    let (number, rest) = name.split_once('.')?;
    Some((number.parse().ok()?, rest))
}

/// Messages that are being put together.
#[derive(Default)]
pub(super) struct Flat<'a>(Vec<(u16, Parts<'a>)>);

#[derive(Default)]
struct Parts<'a> {
    role: Option<Role>,
    content: Option<Held<'a>>,
    texts: Vec<(u16, Held<'a>)>,
    calls: Vec<(u16, Call<'a>)>,
    call_id: Option<Held<'a>>,
}

#[derive(Default)]
struct Call<'a> {
    id: Option<Held<'a>>,
    name: Option<Held<'a>>,
    arguments: Option<Held<'a>>,
}

impl<'a> Flat<'a> {
    pub(super) fn set(&mut self, number: u16, part: Part, held: Held<'a>) {
        let Some(parts) = entry(&mut self.0, number) else { return };
        match part {
            Part::Role => parts.role = held.text().map(Role::from_word),
            Part::Content => parts.content = Some(held),
            Part::CallId => parts.call_id = Some(held),
            Part::Text(number) => match parts.texts.iter_mut().find(|(other, _)| *other == number) {
                Some((_, known)) => *known = held,
                None => parts.texts.push((number, held)),
            },
            Part::Call(number, of_call) => {
                let Some(call) = entry(&mut parts.calls, number) else { return };
                let place = match of_call {
                    OfCall::Id => &mut call.id,
                    OfCall::Name => &mut call.name,
                    OfCall::Arguments => &mut call.arguments,
                };
                *place = Some(held);
            }
            // It is an attribute of the call.
            Part::FinishReason => {}
        }
    }

    pub(super) fn merge(&mut self, newer: Self) {
        for (number, newer) in newer.0 {
            let Some(known) = entry(&mut self.0, number) else { return };
            known.role = newer.role.or(known.role);
            known.content = newer.content.or(known.content.take());
            known.call_id = newer.call_id.or(known.call_id.take());
            for (number, text) in newer.texts {
                known.texts.retain(|(other, _)| *other != number);
                known.texts.push((number, text));
            }
            for (number, newer) in newer.calls {
                let Some(call) = entry(&mut known.calls, number) else { return };
                call.id = newer.id.or(call.id.take());
                call.name = newer.name.or(call.name.take());
                call.arguments = newer.arguments.or(call.arguments.take());
            }
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of its texts.
    pub(super) fn texts_mut(&mut self) -> impl Iterator<Item = &mut Held<'a>> {
        self.0.iter_mut().flat_map(|(_, parts)| {
            let Parts { content, texts, calls, call_id, role: _ } = parts;
            let calls = calls.iter_mut().flat_map(|(_, Call { id, name, arguments })| [id, name, arguments]);
            let texts = texts.iter_mut().map(|(_, text)| text);
            [content, call_id].into_iter().chain(calls).flatten().chain(texts)
        })
    }

    /// The messages in the order of their numbers; one without a role is `role`'s.
    pub(super) fn into_messages(mut self, role: Role) -> Vec<Message> {
        self.0.sort_by_key(|(number, _)| *number);
        let messages = self.0.into_iter().map(|(_, parts)| parts.into_message(role));
        messages.filter(|message| !message.parts.is_empty()).collect()
    }
}

impl Parts<'_> {
    fn into_message(mut self, role: Role) -> Message {
        self.texts.sort_by_key(|(number, _)| *number);
        self.calls.sort_by_key(|(number, _)| *number);
        let role = self.role.unwrap_or(role);
        let texts = self.content.into_iter().chain(self.texts.into_iter().map(|(_, text)| text));
        let mut parts: Vec<_> = texts.map(|text| event::Part::Text(text.into_raw())).collect();
        // The whole message of a tool is the result.
        if role == Role::Tool {
            let content = match <[event::Part; 1]>::try_from(parts) {
                Ok([event::Part::Text(text)]) => ResultContent::Text(text),
                Ok(one) => ResultContent::Parts(one.into()),
                Err(several) => ResultContent::Parts(several),
            };
            parts = vec![event::Part::ToolResult { call_id: self.call_id.map(Held::into_raw), content }];
        }
        parts.extend(self.calls.into_iter().filter_map(|(_, call)| {
            let arguments = call.arguments.map_or_else(|| RawText::from_static(""), Held::into_raw);
            Some(event::Part::ToolCall { id: call.id.map(Held::into_raw), name: call.name?.into_raw(), arguments })
        }));
        Message { role, parts }
    }
}

/// The entry of this number, made where there is none.
fn entry<T: Default>(entries: &mut Vec<(u16, T)>, number: u16) -> Option<&mut T> {
    let place = entries.iter().position(|(other, _)| *other == number);
    let place = place.unwrap_or_else(|| {
        entries.push((number, T::default()));
        entries.len() - 1
    });
    entries.get_mut(place).map(|(_, entry)| entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_message_is_told_by_its_name() {
        assert_eq!(meaning("gen_ai.prompt.0.content"), Some((List::Input, 0, Part::Content)));
        assert_eq!(meaning("llm.output_messages.12.message.role"), Some((List::Output, 12, Part::Role)));
        let arguments = "llm.output_messages.0.message.tool_calls.1.tool_call.function.arguments";
        assert_eq!(meaning(arguments), Some((List::Output, 0, Part::Call(1, OfCall::Arguments))));
        let name = Some((List::Output, 0, Part::Call(1, OfCall::Name)));
        assert_eq!(meaning("gen_ai.completion.0.tool_calls.1.name"), name);
        for other in ["gen_ai.prompt", "gen_ai.prompt.x.content", "gen_ai.prompt.0.tool_calls.x.name"] {
            assert_eq!(meaning(other), None, "{other}");
        }
    }
}
