//! The names under which each kind of content is shown.

use bytestring::ByteString;

use super::{self as s, Attr};

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShownOf {
    /// What a model was sent, or the first text that any other call was given.
    Input,
    /// What it answered, or the first text that any other call returned.
    Output,
    /// System instructions.
    System,
    /// Tool definitions.
    Tools,
    /// What a tool was called with.
    ToolArguments,
    /// What it returned.
    ToolResult,
    /// What an error said of itself.
    Error,
    /// What was decided.
    Action,
    /// What an agent kept of itself at a checkpoint.
    State,
}

/// Where a preview, whole content and a reference to more of it stand.
#[derive(Clone, Copy, Debug)]
pub struct ShownNames {
    /// What is shown there.
    pub of: ShownOf,
    /// Ours, for its beginning.
    pub preview: Option<Attr<ByteString>>,
    /// The attribute of the conventions, or ours where they have none, where the level lets whole content leave.
    pub content: Option<Attr<()>>,
    /// Ours, for the place where all of it is kept.
    pub reference: Option<Attr<ByteString>>,
    /// The same beside the attribute of the conventions.
    pub content_reference: Option<Attr<ByteString>>,
}

impl ShownNames {
    /// What a model was sent.
    pub const INPUT: Self =
        whole(ShownOf::Input, Some(s::INPUT_PREVIEW), s::INPUT_MESSAGES, s::INPUT_REF, s::INPUT_MESSAGES_REF);
    /// What it answered.
    pub const OUTPUT: Self =
        whole(ShownOf::Output, Some(s::OUTPUT_PREVIEW), s::OUTPUT_MESSAGES, s::OUTPUT_REF, s::OUTPUT_MESSAGES_REF);
    /// System instructions.
    pub const SYSTEM: Self = whole(
        ShownOf::System,
        Some(s::SYSTEM_PREVIEW),
        s::SYSTEM_INSTRUCTIONS,
        s::SYSTEM_REF,
        s::SYSTEM_INSTRUCTIONS_REF,
    );
    /// Tool definitions, of which nobody would read a beginning.
    pub const TOOLS: Self = whole(ShownOf::Tools, None, s::TOOL_DEFINITIONS, s::TOOLS_REF, s::TOOL_DEFINITIONS_REF);
    /// What a tool was called with.
    pub const TOOL_ARGUMENTS: Self = whole(
        ShownOf::ToolArguments,
        Some(s::TOOL_ARGUMENTS_PREVIEW),
        s::TOOL_CALL_ARGUMENTS,
        s::TOOL_ARGUMENTS_REF,
        s::TOOL_CALL_ARGUMENTS_REF,
    );
    /// What it returned.
    pub const TOOL_RESULT: Self = whole(
        ShownOf::ToolResult,
        Some(s::TOOL_RESULT_PREVIEW),
        s::TOOL_CALL_RESULT,
        s::TOOL_RESULT_REF,
        s::TOOL_CALL_RESULT_REF,
    );
    /// What an error said of itself.
    pub const ERROR: Self = beginning(ShownOf::Error, s::ERROR_PREVIEW);
    /// What was decided.
    pub const ACTION: Self = beginning(ShownOf::Action, s::DECISION_ACTION_PREVIEW);
    /// What an agent kept of itself, of which nobody would read a beginning.
    pub const STATE: Self = Self {
        of: ShownOf::State,
        preview: None,
        content: Some(s::CHECKPOINT_STATE),
        reference: Some(s::CHECKPOINT_STATE_REF),
        content_reference: None,
    };
    /// All of them.
    pub const ALL: [&'static Self; 9] = [
        &Self::INPUT,
        &Self::OUTPUT,
        &Self::SYSTEM,
        &Self::TOOLS,
        &Self::TOOL_ARGUMENTS,
        &Self::TOOL_RESULT,
        &Self::ERROR,
        &Self::ACTION,
        &Self::STATE,
    ];
}

const fn whole(
    of: ShownOf,
    preview: Option<Attr<ByteString>>,
    content: Attr<()>,
    reference: Attr<ByteString>,
    content_reference: Attr<ByteString>,
) -> ShownNames {
    ShownNames {
        of,
        preview,
        content: Some(content),
        reference: Some(reference),
        content_reference: Some(content_reference),
    }
}

/// What the conventions have no attribute for is shown by its beginning alone.
const fn beginning(of: ShownOf, preview: Attr<ByteString>) -> ShownNames {
    ShownNames { of, preview: Some(preview), content: None, reference: None, content_reference: None }
}
