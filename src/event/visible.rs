//! Model-visible items: what one element of a provider's list shows or produces, where the source tells it that finely.

use std::fmt;

use bytestring::ByteString;

use super::Digest;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident: $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$of])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The one that a word stands for.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What kind of item it is. The words are those of Codex' reduced rollout traces.
    ItemKind {
        /// Something said.
        Message: "message",
        /// Something thought.
        Reasoning: "reasoning",
        /// A tool called with structured arguments.
        FunctionCall: "function_call",
        /// What such a tool returned.
        FunctionCallOutput: "function_call_output",
        /// A tool called with a text.
        CustomToolCall: "custom_tool_call",
        /// What such a tool returned.
        CustomToolCallOutput: "custom_tool_call_output",
        /// The place where a history was replaced by a shorter one.
        CompactionMarker: "compaction_marker",
        /// A kind that this version does not know.
        Unknown: "unknown",
    }
}

words! {
    /// Through which channel an item was said.
    Channel {
        /// Thoughts.
        Analysis: "analysis",
        /// On the way to an answer.
        Commentary: "commentary",
        /// The answer.
        Final: "final",
        /// A summary that stands for more.
        Summary: "summary",
    }
}

words! {
    /// What kind of part of an item's body it is.
    PartKind {
        /// Text.
        Text: "text",
        /// A summary of thoughts.
        Summary: "summary",
        /// What only the provider can read.
        Encoded: "encoded",
        /// JSON.
        Json: "json",
        /// Source code.
        Code: "code",
        /// Anything else, by its reference.
        Reference: "payload_ref",
    }
}

impl ItemKind {
    /// Whether it asks for a tool.
    pub const fn is_call(self) -> bool {
        matches!(self, Self::FunctionCall | Self::CustomToolCall)
    }

    /// Whether it answers a call.
    pub const fn is_output(self) -> bool {
        matches!(self, Self::FunctionCallOutput | Self::CustomToolCallOutput)
    }
}

/// A part of an item's body, as much as may leave of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemPart {
    /// What kind of part.
    pub kind: PartKind,
    /// Its digest.
    pub digest: Option<Digest>,
    /// Its length in bytes.
    pub length: u64,
}

/// What is known of a model-visible item beside its digest: labels, and the digests of its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Facet {
    /// What kind of item.
    pub kind: ItemKind,
    /// Through which channel it was said.
    pub channel: Option<Channel>,
    /// The provider's id of the call that it makes or answers. They repeat.
    pub call_id: Option<ByteString>,
    /// The tool's name; of an unknown kind, what its producer calls it.
    pub name: Option<ByteString>,
    /// Of a message between agents: who sent it and whom it is for.
    pub between: Option<[ByteString; 2]>,
    /// Its body.
    pub parts: Vec<ItemPart>,
}

impl Facet {
    /// The digest of what only the provider can read: a key of its item beside the content.
    pub fn blob(&self) -> Option<&Digest> {
        self.parts.iter().find(|part| part.kind == PartKind::Encoded).and_then(|part| part.digest.as_ref())
    }
}
