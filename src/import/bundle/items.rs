//! Elements of a provider's list as model-visible items.
//!
//! A full request holds the whole history again, so an element that was seen before costs one hash over its bytes and no
//! parsing.

use std::collections::HashMap;
use std::sync::Arc;

use bytestring::ByteString;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::repeated::Elements;
use crate::event::shape;
use crate::event::{Channel, Facet, Item, ItemKind, ItemPart, Message, Part, PartKind, RawBytes, RawText, Role};
use crate::privacy::c1::{self, Hasher};
use crate::privacy::measure::Telling;
use crate::privacy::{Level, Policy, Tally};
use crate::semconv::Field;

/// The items that are remembered. Beyond, all are read anew once.
const REMEMBERED: usize = 1 << 16;

/// An item, and what is known of it.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) item: Item,
    pub(super) facet: Arc<Facet>,
}

/// The items of a list, as its elements are read.
pub(super) struct Shows<'a> {
    pub(super) items: &'a mut Items,
    pub(super) shown: &'a mut Vec<Shown>,
}

impl Elements for Shows<'_> {
    fn keep<'t>(&mut self, count: usize, _: impl FnOnce() -> Option<&'t RawValue>) -> usize {
        self.shown.truncate(count);
        self.shown.len()
    }

    fn add(&mut self, element: &RawValue) {
        self.shown.push(self.items.read(element));
    }
}

/// Reads items, each once.
pub(super) struct Items {
    policy: Policy,
    hasher: Option<Hasher>,
    tally: Tally,
    /// By the digest of their bytes, which never leaves.
    known: HashMap<[u8; 32], Shown>,
}

impl Items {
    pub(super) fn new(policy: Policy) -> Self {
        let hasher = policy.hasher().cloned();
        Self { policy, hasher, tally: Tally::default(), known: HashMap::new() }
    }

    /// What may be told of content, class by class.
    pub(super) const fn telling(&self) -> Telling<'_> {
        Telling::new(&self.policy, self.hasher.as_ref(), &self.tally)
    }

    /// The item of a message and the digests of its parts; no more than its kind where nothing may be told of what it
    /// holds.
    fn visible(&self, message: &Message, kind: ItemKind) -> (Item, Vec<ItemPart>) {
        let (mut item, mut parts) = c1::visible(self.hasher.as_ref(), message);
        if self.policy.levels().of_all(classes(kind, message.role)) == Level::None {
            (item.digest, item.length) = (None, None);
            parts.clear();
        }
        (item, parts)
    }

    pub(super) fn label(&self, text: &str) -> ByteString {
        self.policy.label(text)
    }

    /// The item that an element stands for. Always one: what is not understood is an item of an unknown kind.
    pub(super) fn read(&mut self, element: &RawValue) -> Shown {
        let key: [u8; 32] = Sha256::digest(element.get().as_bytes()).into();
        if let Some(shown) = self.known.get(&key) {
            return shown.clone();
        }
        let shown = match serde_json::from_str(element.get()) {
            Ok(Value::Object(object)) => self.element(object),
            // A bare text is one message of the user; what is too deep to be read has a digest of its bytes.
            Ok(other) => self.unknown(other, None),
            Err(_) => self.unread(element.get()),
        };
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(key, shown.clone());
        shown
    }

    fn element(&self, mut object: Map<String, Value>) -> Shown {
        let word = |name: &str| object.get(name).and_then(Value::as_str);
        let kind_word = word("type").unwrap_or(if object.contains_key("role") { "message" } else { "" }).to_owned();
        let Some(kind) = kind_of(&kind_word) else {
            return self.unknown(Value::Object(object), Some(&kind_word));
        };
        let channel = match kind {
            ItemKind::Message => message_channel(&kind_word, word("phase")),
            ItemKind::Reasoning => Some(Channel::Analysis),
            _ => Some(Channel::Commentary),
        };
        let is_tool = kind.is_call() || kind.is_output();
        let call_id = if is_tool { word("call_id").map(|id| self.label(id)) } else { None };
        let name = if kind.is_call() { Some(self.label(word("name").unwrap_or(&kind_word))) } else { None };
        let is_code = kind == ItemKind::CustomToolCall && word("name") == Some("exec");
        let summaries = count_texts(object.get("summary"));
        let mut between = None;
        let message = if kind_word == "agent_message" {
            between = self.between(&object);
            agent_message(&mut object)
        } else {
            let found = if kind_word == "message" { self.legacy(&object) } else { None };
            match found {
                Some((parties, message)) => {
                    between = Some(parties);
                    message
                }
                None => one(Value::Object(object)),
            }
        };
        let (mut item, mut parts) = self.visible(&message, kind);
        if kind.is_output() {
            item.role = Role::Tool;
        } else if kind != ItemKind::Message {
            item.role = Role::Assistant;
        }
        if kind_word.contains("compaction") && parts.iter().any(|part| part.kind == PartKind::Encoded) {
            parts.retain(|part| part.kind == PartKind::Encoded);
        }
        mark_parts(&mut parts, kind, is_code, summaries);
        Shown { item, facet: Arc::new(Facet { kind, channel, call_id, name, between, parts }) }
    }

    /// An element of a kind that this version does not know is kept, and reported by its name.
    fn unknown(&self, value: Value, name: Option<&str>) -> Shown {
        let message = match value {
            Value::String(text) => return self.plain(Message::text(Role::User, text), ItemKind::Message, None),
            value => one(value),
        };
        self.plain(message, ItemKind::Unknown, Some(self.label(name.filter(|name| !name.is_empty()).unwrap_or("none"))))
    }

    fn unread(&self, text: &str) -> Shown {
        let message = Message { role: Role::Other, parts: vec![Part::Other(RawText::from(text))] };
        self.plain(message, ItemKind::Unknown, Some(self.label("none")))
    }

    fn plain(&self, message: Message, kind: ItemKind, name: Option<ByteString>) -> Shown {
        let (item, parts) = self.visible(&message, kind);
        Shown { item, facet: Arc::new(Facet { kind, channel: None, call_id: None, name, between: None, parts }) }
    }

    fn between(&self, object: &Map<String, Value>) -> Option<[ByteString; 2]> {
        let path = |name: &str| object.get(name).and_then(Value::as_str).map(|path| self.agent(path));
        Some([path("author")?, path("recipient")?])
    }

    /// An agent's path as a label.
    pub(super) fn agent(&self, path: &str) -> ByteString {
        self.label(path.strip_prefix('/').unwrap_or(path))
    }

    /// A message between agents as older versions wrote it: an assistant's text that is JSON.
    fn legacy(&self, object: &Map<String, Value>) -> Option<([ByteString; 2], Message)> {
        if object.get("role").and_then(Value::as_str) != Some("assistant") {
            return None;
        }
        let [block] = object.get("content")?.as_array()?.as_slice() else { return None };
        let text = block.get("text")?.as_str()?;
        if !text.trim_start().starts_with('{') {
            return None;
        }
        let Ok(Value::Object(mut said)) = serde_json::from_str(text) else { return None };
        let parties = self.between(&said)?;
        let mut take = |name: &str| match said.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        let part = match (take("encrypted_content"), take("content")) {
            (Some(encrypted), _) => Part::Encrypted(RawBytes::from(encrypted.into_bytes())),
            (None, Some(text)) => Part::Text(text.into()),
            (None, None) => return None,
        };
        Some((parties, Message { role: Role::Assistant, parts: vec![part] }))
    }
}

/// The classes of what an item holds. In a request it is all part of the prompt.
fn classes(kind: ItemKind, role: Role) -> &'static [Field] {
    match (kind, role) {
        (ItemKind::Message, Role::System | Role::Developer) => &[Field::Prompts, Field::System],
        (ItemKind::Message, Role::Assistant) => &[Field::Prompts, Field::Completions],
        (ItemKind::Message, _) => &[Field::Prompts],
        (ItemKind::Reasoning, _) => &[Field::Prompts, Field::Reasoning],
        (ItemKind::FunctionCall | ItemKind::CustomToolCall, _) => &[Field::Prompts, Field::ToolArguments],
        (ItemKind::FunctionCallOutput | ItemKind::CustomToolCallOutput, _) => &[Field::Prompts, Field::ToolResults],
        _ => &Field::ALL,
    }
}

fn kind_of(word: &str) -> Option<ItemKind> {
    Some(match word {
        "message" | "agent_message" | "compaction" | "compaction_summary" | "context_compaction" => ItemKind::Message,
        "reasoning" => ItemKind::Reasoning,
        "function_call" | "tool_search_call" | "web_search_call" | "image_generation_call" | "local_shell_call" => {
            ItemKind::FunctionCall
        }
        "custom_tool_call" => ItemKind::CustomToolCall,
        "function_call_output" | "tool_search_output" | "mcp_tool_call_output" => ItemKind::FunctionCallOutput,
        "custom_tool_call_output" => ItemKind::CustomToolCallOutput,
        _ => return None,
    })
}

fn message_channel(word: &str, phase: Option<&str>) -> Option<Channel> {
    match (word, phase) {
        ("agent_message", _) => Some(Channel::Analysis),
        ("message", Some("commentary")) => Some(Channel::Commentary),
        ("message", Some("final_answer")) => Some(Channel::Final),
        ("message", Some("summary")) => Some(Channel::Summary),
        ("message", _) => None,
        _ => Some(Channel::Summary),
    }
}

/// An element that is a message of its own.
fn one(value: Value) -> Message {
    let mut messages = shape::messages(Value::Array(vec![value]));
    messages.pop().unwrap_or(Message { role: Role::Other, parts: Vec::new() })
}

/// Texts, or what only the provider can read.
fn agent_message(object: &mut Map<String, Value>) -> Message {
    let mut parts = Vec::new();
    if let Some(Value::Array(blocks)) = object.remove("content") {
        for mut block in blocks {
            let mut take = |name: &str| match block.get_mut(name).map(Value::take) {
                Some(Value::String(text)) => Some(text),
                _ => None,
            };
            if let Some(encrypted) = take("encrypted_content") {
                parts.push(Part::Encrypted(RawBytes::from(encrypted.into_bytes())));
            } else if let Some(text) = take("text") {
                parts.push(Part::Text(text.into()));
            } else {
                parts.extend(one(Value::Object([("content".to_owned(), block)].into_iter().collect())).parts);
            }
        }
    }
    Message { role: Role::Assistant, parts }
}

fn count_texts(list: Option<&Value>) -> usize {
    let has_text = |block: &&Value| {
        let text = block.as_str().or_else(|| block.get("text").and_then(Value::as_str));
        text.is_some_and(|text| !text.is_empty())
    };
    list.and_then(Value::as_array).map_or(0, |blocks| blocks.iter().filter(has_text).count())
}

/// Of thoughts the last readable parts are the summaries; the source of a code cell is code.
fn mark_parts(parts: &mut [ItemPart], kind: ItemKind, is_code: bool, summaries: usize) {
    if kind == ItemKind::Reasoning {
        let readable = parts.iter_mut().rev().filter(|part| part.kind == PartKind::Text);
        readable.take(summaries).for_each(|part| part.kind = PartKind::Summary);
    }
    if is_code {
        parts.iter_mut().for_each(|part| part.kind = PartKind::Code);
    }
}
