//! Which kind of call an operation is.

use super::slot::Words;
use crate::event::CallKind;

/// What a span says that it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// A call of ours, under the word that the conventions have for it.
    Call(CallKind, &'static str),
    /// Something else: embeddings, retrieval, a workflow.
    Unmapped,
}

const CHAT: Operation = Operation::Call(CallKind::Inference, "chat");
const COMPLETION: Operation = Operation::Call(CallKind::Inference, "text_completion");
const CONTENT: Operation = Operation::Call(CallKind::Inference, "generate_content");
const TOOL: Operation = Operation::Call(CallKind::Tool, "execute_tool");
const AGENT: Operation = Operation::Call(CallKind::Turn, "invoke_agent");

impl Operation {
    /// The operation that a word of this vocabulary names.
    pub(super) fn named(words: Words, word: &str) -> Self {
        match (words, word) {
            (Words::GenAi, "chat") | (Words::OpenInference, "LLM") | (Words::TraceloopRequest, "chat") => CHAT,
            (Words::GenAi, "text_completion") | (Words::TraceloopRequest, "completion") => COMPLETION,
            (Words::GenAi, "generate_content") => CONTENT,
            (Words::GenAi, "execute_tool") | (Words::OpenInference, "TOOL") | (Words::TraceloopKind, "tool") => TOOL,
            (Words::GenAi, "invoke_agent") | (Words::OpenInference, "AGENT") | (Words::TraceloopKind, "agent") => AGENT,
            _ => Self::Unmapped,
        }
    }

    /// The operation of a call that is known for its kind alone.
    pub(super) const fn of_kind(kind: CallKind) -> Self {
        match kind {
            CallKind::Turn => AGENT,
            CallKind::Inference => CHAT,
            CallKind::Tool => TOOL,
            _ => Self::Unmapped,
        }
    }
}
