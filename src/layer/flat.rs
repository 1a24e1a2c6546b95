//! Messages that stand in many fields, one for each part: `gen_ai.prompt.0.content`, `llm.input_messages.0.message.role`.

use super::held::Held;
use crate::event::{Message, Role};

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
}

/// The list, the number and the part that a name stands for.
pub(super) fn meaning(name: &str) -> Option<(List, u16, Part)> {
    const LISTS: [(&str, List); 4] = [
        ("gen_ai.prompt.", List::Input),
        ("gen_ai.completion.", List::Output),
        ("llm.input_messages.", List::Input),
        ("llm.output_messages.", List::Output),
    ];
    let (rest, list) = LISTS.iter().find_map(|(prefix, list)| Some((name.strip_prefix(prefix)?, *list)))?;
    let (number, part) = rest.split_once('.')?;
    let part = match part.strip_prefix("message.").unwrap_or(part) {
        "role" => Part::Role,
        "content" => Part::Content,
        _ => return None,
    };
    Some((list, number.parse().ok()?, part))
}

/// Messages that are being put together.
#[derive(Default)]
pub(super) struct Flat(Vec<(u16, Option<Role>, Option<Held>)>);

impl Flat {
    pub(super) fn set(&mut self, number: u16, part: Part, text: &str) {
        let place = self.0.iter().position(|(other, ..)| *other == number);
        let place = place.unwrap_or_else(|| {
            self.0.push((number, None, None));
            self.0.len() - 1
        });
        if let Some((_, role, content)) = self.0.get_mut(place) {
            match part {
                Part::Role => *role = Some(Role::from_word(text)),
                Part::Content => *content = Some(Held::new(text)),
            }
        }
    }

    pub(super) fn merge(&mut self, newer: Self) {
        for (number, role, content) in newer.0 {
            match self.0.iter_mut().find(|(other, ..)| *other == number) {
                Some(known) => {
                    known.1 = role.or(known.1);
                    known.2 = content.or(known.2.take());
                }
                None => self.0.push((number, role, content)),
            }
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The messages in the order of their numbers; one without a role is `role`'s.
    pub(super) fn into_messages(mut self, role: Role) -> Vec<Message> {
        self.0.sort_by_key(|(number, ..)| *number);
        let texts = self.0.into_iter().filter_map(|(_, own, content)| Some((own.unwrap_or(role), content?)));
        texts.map(|(role, content)| Message::text(role, content.into_raw())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_message_is_told_by_its_name() {
        assert_eq!(meaning("gen_ai.prompt.0.content"), Some((List::Input, 0, Part::Content)));
        assert_eq!(meaning("llm.output_messages.12.message.role"), Some((List::Output, 12, Part::Role)));
        for other in ["gen_ai.prompt", "gen_ai.prompt.x.content", "gen_ai.prompt.0.tool_calls.0.name"] {
            assert_eq!(meaning(other), None, "{other}");
        }
    }
}
