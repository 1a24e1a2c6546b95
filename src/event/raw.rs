//! Content as it was said. Nothing here can be printed, compared or serialised, and what is owned is wiped when dropped.

use std::sync::Arc;

use super::Row;
use super::wipe::{wipe, wipe_text};

/// A text as it was said.
#[allow(missing_debug_implementations)]
pub struct RawText(Inner);

enum Inner {
    Owned(String),
    /// Cannot be wiped here: others may hold it.
    Shared(Arc<str>),
    Static(&'static str),
    /// The part of a row between two bytes. The row wipes itself.
    Part(Arc<Row>, u32, u32),
    /// Not taken, because it was too long; only its length is known.
    Oversize(usize),
}

impl RawText {
    /// The longest value that is taken, in bytes (4 MiB). Of a longer one only the length is kept.
    pub const MAX_BYTES: usize = 4 << 20;

    /// The text, unless it was too long to be taken. Only `privacy` may ask.
    pub(crate) fn expose(&self) -> Option<&str> {
        match &self.0 {
            Inner::Owned(text) => Some(text),
            Inner::Shared(text) => Some(text),
            Inner::Static(text) => Some(text),
            Inner::Part(row, start, end) => row.text().get(*start as usize..*end as usize).or(Some("")),
            Inner::Oversize(_) => None,
        }
    }

    /// Its length in bytes of UTF-8.
    pub fn len(&self) -> usize {
        match &self.0 {
            Inner::Owned(text) => text.len(),
            Inner::Shared(text) => text.len(),
            Inner::Static(text) => text.len(),
            Inner::Part(..) => self.expose().map_or(0, str::len),
            Inner::Oversize(length) => *length,
        }
    }

    /// Whether it is the empty text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes it keeps in memory.
    pub fn held_bytes(&self) -> usize {
        match &self.0 {
            Inner::Owned(text) => text.capacity(),
            Inner::Shared(text) => text.len(),
            Inner::Part(..) => self.len(),
            Inner::Static(_) | Inner::Oversize(_) => 0,
        }
    }

    /// Adds to it, as long as it does not become too long. What it was before is wiped.
    pub fn push(&mut self, more: &str) {
        let length = self.len().saturating_add(more.len());
        let before = std::mem::replace(self, Self::from_static(""));
        let Some(text) = before.expose().filter(|_| length <= Self::MAX_BYTES) else {
            self.0 = Inner::Oversize(length);
            return;
        };
        if matches!(&before.0, Inner::Owned(owned) if owned.capacity() >= length) {
            *self = before;
            if let Inner::Owned(owned) = &mut self.0 {
                owned.push_str(more);
            }
            return;
        }
        // Grown in place it would leave the old text behind.
        let mut grown = String::with_capacity(length.max(2 * text.len()).min(Self::MAX_BYTES));
        grown.push_str(text);
        grown.push_str(more);
        self.0 = Inner::Owned(grown);
    }

    /// A text that was too long to be taken, of which the length is known.
    pub(crate) const fn oversize(length: usize) -> Self {
        Self(Inner::Oversize(length))
    }

    /// The part of a row between two bytes; of none that there is, the empty text.
    pub(crate) const fn part(row: Arc<Row>, start: u32, end: u32) -> Self {
        Self(Inner::Part(row, start, end))
    }

    /// A text that lives as long as the program: neither copied nor wiped.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Inner::Static(text))
    }
}

impl From<String> for RawText {
    fn from(mut text: String) -> Self {
        if text.len() > Self::MAX_BYTES {
            let length = text.len();
            wipe_text(&mut text);
            return Self(Inner::Oversize(length));
        }
        Self(Inner::Owned(text))
    }
}

impl From<&str> for RawText {
    fn from(text: &str) -> Self {
        if text.len() > Self::MAX_BYTES {
            return Self(Inner::Oversize(text.len()));
        }
        Self(Inner::Owned(text.to_owned()))
    }
}

impl From<Arc<str>> for RawText {
    fn from(text: Arc<str>) -> Self {
        if text.len() > Self::MAX_BYTES {
            return Self(Inner::Oversize(text.len()));
        }
        Self(Inner::Shared(text))
    }
}

impl Drop for RawText {
    fn drop(&mut self) {
        if let Inner::Owned(text) = &mut self.0 {
            wipe_text(text);
        }
    }
}

/// Bytes as they were sent: a decoded image, audio, an encrypted blob.
#[allow(missing_debug_implementations)]
pub struct RawBytes {
    bytes: Vec<u8>,
    oversize: Option<usize>,
}

impl RawBytes {
    /// The bytes, unless there were too many to be taken. Only `privacy` may ask.
    pub(crate) fn expose(&self) -> Option<&[u8]> {
        match self.oversize {
            None => Some(&self.bytes),
            Some(_) => None,
        }
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.oversize.unwrap_or(self.bytes.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes it keeps in memory.
    pub fn held_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}

impl From<Vec<u8>> for RawBytes {
    fn from(mut bytes: Vec<u8>) -> Self {
        if bytes.len() > RawText::MAX_BYTES {
            let oversize = Some(bytes.len());
            wipe(&mut bytes);
            return Self { bytes: Vec::new(), oversize };
        }
        Self { bytes, oversize: None }
    }
}

impl Drop for RawBytes {
    fn drop(&mut self) {
        wipe(&mut self.bytes);
    }
}

/// Who a message is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Instructions of the application.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
    /// The result of a tool call.
    Tool,
    /// Instructions of the developer, where a provider tells them from the system's.
    Developer,
    /// Any other.
    Other,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 6] = [Self::System, Self::User, Self::Assistant, Self::Tool, Self::Developer, Self::Other];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Developer => "developer",
            Self::Other => "other",
        }
    }

    /// The role that a provider's word stands for.
    pub fn from_word(word: &str) -> Self {
        match word {
            "function" => Self::Tool,
            "model" => Self::Assistant,
            _ => Self::ALL.into_iter().find(|role| role.as_str() == word).unwrap_or(Self::Other),
        }
    }

    /// The byte that stands for it in a chain digest of form `c1`.
    pub const fn chain_byte(self) -> u8 {
        match self {
            Self::System => 0,
            Self::User => 1,
            Self::Assistant => 2,
            Self::Tool => 3,
            Self::Developer => 4,
            Self::Other => 255,
        }
    }
}

/// What a model was sent.
#[derive(Default)]
#[allow(missing_debug_implementations)]
pub struct Request {
    /// System instructions that the provider separates from the messages.
    pub system: Vec<RawText>,
    /// The tools that the model may call.
    pub tools: Vec<ToolDefinition>,
    /// The history, oldest first, as the provider has it: tool results may share a message with other parts.
    pub messages: Vec<Message>,
}

/// A tool that a model may call.
#[allow(missing_debug_implementations)]
pub struct ToolDefinition {
    /// Its name.
    pub name: RawText,
    /// What it does.
    pub description: Option<RawText>,
    /// The JSON Schema of its arguments, as JSON text.
    pub parameters: Option<RawText>,
}

/// One message.
#[allow(missing_debug_implementations)]
pub struct Message {
    /// Who it is from.
    pub role: Role,
    /// What it is made of, in order.
    pub parts: Vec<Part>,
}

/// A part of a message.
#[allow(missing_debug_implementations)]
pub enum Part {
    /// Text.
    Text(RawText),
    /// What the model thought, readable.
    Reasoning(RawText),
    /// The model calls a tool.
    ToolCall {
        /// The provider's id, by which a result names it.
        id: Option<RawText>,
        /// The tool.
        name: RawText,
        /// The arguments: JSON text as a rule, any text in fact.
        arguments: RawText,
    },
    /// The result of a tool call.
    ToolResult {
        /// The provider's id of the call.
        call_id: Option<RawText>,
        /// What the tool returned.
        content: ResultContent,
    },
    /// Bytes: an image, a sound, a document.
    Blob(RawBytes),
    /// Bytes that only the provider can read. No part of a message's digest, but a key of it.
    Encrypted(RawBytes),
    /// Content that stands elsewhere: a URI, a file's id.
    Reference(RawText),
    /// Anything else, as JSON text.
    Other(RawText),
}

/// What a tool returned.
#[allow(missing_debug_implementations)]
pub enum ResultContent {
    /// One text.
    Text(RawText),
    /// Parts, as a message has them.
    Parts(Vec<Part>),
}

impl Request {
    /// The bytes that all its content keeps in memory.
    pub fn held_bytes(&self) -> usize {
        let system: usize = self.system.iter().map(|text| size_of_val(text) + text.held_bytes()).sum();
        let tools: usize = self.tools.iter().map(|tool| size_of_val(tool) + tool.held_bytes()).sum();
        system + tools + self.messages.iter().map(Message::held_bytes).sum::<usize>()
    }
}

impl ToolDefinition {
    fn held_bytes(&self) -> usize {
        let optional = |text: &Option<RawText>| text.as_ref().map_or(0, RawText::held_bytes);
        self.name.held_bytes() + optional(&self.description) + optional(&self.parameters)
    }
}

impl Message {
    /// A message of one text.
    pub fn text(role: Role, text: impl Into<RawText>) -> Self {
        Self { role, parts: vec![Part::Text(text.into())] }
    }

    /// The bytes that it and its content keep in memory.
    pub fn held_bytes(&self) -> usize {
        size_of_val(self) + parts_bytes(&self.parts)
    }
}

impl Part {
    fn held_bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Reasoning(text) | Self::Reference(text) | Self::Other(text) => text.held_bytes(),
            Self::ToolCall { id, name, arguments } => {
                id.as_ref().map_or(0, RawText::held_bytes) + name.held_bytes() + arguments.held_bytes()
            }
            Self::ToolResult { call_id, content } => {
                call_id.as_ref().map_or(0, RawText::held_bytes) + content.held_bytes()
            }
            Self::Blob(bytes) | Self::Encrypted(bytes) => bytes.held_bytes(),
        }
    }
}

impl ResultContent {
    /// The bytes that its content keeps in memory.
    pub fn held_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.held_bytes(),
            Self::Parts(parts) => parts_bytes(parts),
        }
    }
}

fn parts_bytes(parts: &[Part]) -> usize {
    parts.iter().map(|part| size_of_val(part) + part.held_bytes()).sum()
}
