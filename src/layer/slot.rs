//! What a field stands for.

use crate::event::shape::flat::{List, Part};
use crate::semconv::{KeyId, Phase, Said, Type};

/// What the value of a field is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// An attribute under the conventions' own name for it. Read as soon as it is told.
    Own(Own),
    /// An attribute of the table, of the type that the table says.
    Attr(KeyId),
    /// `gen_ai.usage.cache_creation.input_tokens` and its newer name: told under both.
    CacheWrite,
    /// `gen_ai.response.finish_reasons`: one word, or a JSON array of them.
    FinishReasons,
    /// The operation, in the words of this vocabulary.
    Operation(Words),
    /// JSON with request parameters.
    Parameters,
    /// JSON with token counts.
    Usage,
    /// Content.
    Said(Said),
    /// A part of the message of this number.
    Part(List, u16, Part),
    /// How it ended.
    End(End),
    /// Where it belongs, as the caller says.
    Identity(Identity),
}

impl Slot {
    /// Whether it holds what was said.
    pub(super) const fn is_content(self) -> bool {
        matches!(self, Self::Said(_) | Self::Part(..))
    }
}

/// An attribute of one value, and all that has to be known to take one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) id: KeyId,
    pub(super) kind: Type,
    pub(super) half: Half,
}

impl Own {
    /// Nothing where several values make one, or where no field stands for it.
    pub(super) fn of(id: KeyId) -> Option<Self> {
        let name = id.name();
        let is_one = matches!(name.kind, Type::Text | Type::Int | Type::Double | Type::Bool);
        let half = Half::of(name.phase).filter(|_| is_one)?;
        Some(Self { id, kind: name.kind, half })
    }
}

/// Half of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Opened,
    Closed,
}

impl Half {
    /// The one that tells what is told in this phase; nothing where that is no half's.
    pub(super) const fn of(phase: Phase) -> Option<Self> {
        match phase {
            Phase::Opened => Some(Self::Opened),
            Phase::Closed => Some(Self::Closed),
            Phase::Marked | Phase::Core | Phase::Foreign => None,
        }
    }
}

/// Whose words name an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    GenAi,
    OpenInference,
    /// The name of an evaluation, which no operation has.
    Evaluation,
    TraceloopKind,
    TraceloopRequest,
}

/// What a field says of a call's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The class of an error.
    ErrorType,
    /// The same on an event, which by itself says that there was an exception.
    ExceptionType,
    /// An exception's message or stack. Only that there is one is kept.
    Exception,
    /// An error's text or flag. Only that there is one is kept.
    Error,
    /// `ok` or `error`.
    Status,
    /// A word for how a tool call ended.
    Outcome,
}

/// A part of the identity path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    Tenant,
    Rollout,
    Thread,
    Turn,
}
