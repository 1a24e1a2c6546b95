//! Which kind of call an operation is.

use super::slot::Words;
use crate::event::CallKind;

/// What a span says that it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// A call of ours, under the word of this number that the conventions have for its kind.
    Call(CallKind, u8),
    /// Something else: a rerank, an image, a chain.
    Unmapped,
}

impl Operation {
    /// The operation that a word of this vocabulary names.
    pub(super) fn named(words: Words, word: &str) -> Self {
        let word = match (words, word) {
            // What is named most is looked for before the table is.
            (Words::GenAi, "chat") => return Self::of_kind(CallKind::Inference),
            (Words::GenAi, "execute_tool") => return Self::of_kind(CallKind::Tool),
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
        let number = |kind: CallKind| kind.operations().iter().position(|known| *known == word);
        let known = kind.and_then(|kind| Some((kind, u8::try_from(number(kind)?).ok()?)));
        known.map_or(Self::Unmapped, |(kind, number)| Self::Call(kind, number))
    }

    /// The operation of a call that is known for its kind alone.
    pub(super) fn of_kind(kind: CallKind) -> Self {
        Self::Call(kind, 0)
    }

    /// The kind of call and the word for it, unless it is something else.
    pub(super) fn call(self) -> Option<(CallKind, &'static str)> {
        let Self::Call(kind, number) = self else { return None };
        Some((kind, kind.operations().get(usize::from(number)).copied().unwrap_or_default()))
    }
}

/// The other kinds are told by our own recorder alone: a span of theirs would lack what they are about.
const fn is_of_the_conventions(kind: CallKind) -> bool {
    use CallKind::{Embeddings, Inference, Memory, Retrieval, Tool, Turn, Workflow};
    matches!(kind, Turn | Inference | Tool | Workflow | Embeddings | Retrieval | Memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_of_the_conventions_is_told_again_as_it_was() {
        for kind in CallKind::ALL {
            for word in kind.operations() {
                let told = Operation::named(Words::GenAi, word).call();
                assert_eq!(told, is_of_the_conventions(kind).then_some((kind, *word)));
            }
        }
    }
}
