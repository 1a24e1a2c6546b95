//! What may happen to a value when it leaves: the classes of the privacy policy.

/// The privacy class of an attribute's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Class {
    /// One of a few words of ours ([`is_constant`](super::is_constant)); any other leaves as `_OTHER`.
    Constant,
    /// A count, an index, a duration, a flag.
    Number,
    /// A name or an identifier: leaves as it is where it looks like one, else as `id:` and its digest.
    Label,
    /// A word chosen by a peer or a caller (error kind, finish reason, a terminal's operation): leaves where it looks like a label, else as
    /// `_OTHER`.
    Reason,
    /// A digest in the form `<algorithm>:<64 hex digits>`.
    Digest,
    /// The policy snapshot, `name=value` pairs joined by `;`.
    Policy,
    /// What was said: leaves as the level of its field allows.
    Content(Field),
    /// What was said, of whichever kind: leaves as the strictest level of all allows.
    AnyContent,
}

impl Class {
    /// Whether it is what was said.
    pub const fn is_content(self) -> bool {
        matches!(self, Self::Content(_) | Self::AnyContent)
    }
}

/// The kinds of content that a policy can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Field {
    /// System instructions and tool definitions.
    System,
    /// What was sent to a model.
    Prompts,
    /// What a model answered.
    Completions,
    /// What a model thought.
    Reasoning,
    /// Arguments of a tool call.
    ToolArguments,
    /// The result of a tool call.
    ToolResults,
    /// Messages and stacks of errors.
    Errors,
}

impl Field {
    /// All kinds of content, in the order of their places.
    pub const ALL: [Self; 7] = [
        Self::System,
        Self::Prompts,
        Self::Completions,
        Self::Reasoning,
        Self::ToolArguments,
        Self::ToolResults,
        Self::Errors,
    ];

    /// The word in policies: in their files, and in the snapshot on spans.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Prompts => "prompts",
            Self::Completions => "completions",
            Self::Reasoning => "reasoning",
            Self::ToolArguments => "tool_arguments",
            Self::ToolResults => "tool_results",
            Self::Errors => "errors",
        }
    }
}
