//! Which kind of call an operation is.

use super::slot::Words;
use crate::event::CallKind;

/// What a span says that it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// A call of ours, under the word that the conventions have for it.
    Call(CallKind, &'static str),
    /// Something else: a rerank, an image, a chain.
    Unmapped,
}

impl Operation {
    /// The operation that a word of this vocabulary names.
    pub(super) fn named(words: Words, word: &str) -> Self {
        let word = match (words, word) {
            (Words::GenAi, word) => word,
            (Words::OpenInference, "LLM") | (Words::TraceloopRequest, "chat") => "chat",
            (Words::TraceloopRequest, "completion") => "text_completion",
            (Words::OpenInference, "TOOL") | (Words::TraceloopKind, "tool") => "execute_tool",
            (Words::OpenInference, "AGENT") | (Words::TraceloopKind, "agent") => "invoke_agent",
            (Words::OpenInference, "EMBEDDING") | (Words::TraceloopRequest, "embedding") => "embeddings",
            (Words::OpenInference, "RETRIEVER") => "retrieval",
            (Words::TraceloopKind, "workflow") => "invoke_workflow",
            _ => return Self::Unmapped,
        };
        let kind = CallKind::of_operation(word).filter(|kind| is_of_the_conventions(*kind));
        let known = kind.and_then(|kind| Some((kind, *kind.operations().iter().find(|known| **known == word)?)));
        known.map_or(Self::Unmapped, |(kind, word)| Self::Call(kind, word))
    }

    /// The operation of a call that is known for its kind alone.
    pub(super) fn of_kind(kind: CallKind) -> Self {
        Self::Call(kind, kind.default_operation())
    }
}

/// The other kinds are told by our own recorder alone: a span of theirs would lack what they are about.
const fn is_of_the_conventions(kind: CallKind) -> bool {
    use CallKind::{Embeddings, Inference, Memory, Retrieval, Tool, Turn, Workflow};
    matches!(kind, Turn | Inference | Tool | Workflow | Embeddings | Retrieval | Memory)
}
