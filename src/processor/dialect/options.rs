//! What the step does beside adding names.

/// What becomes of the names of a dialect that have been told under the conventions' names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Originals {
    /// They go, the name of the span with them.
    #[default]
    Drop,
    /// They stay beside the others.
    Keep,
}

/// How a span that names no rollout gets one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The attributes that may name it, the first that a span has; without any the trace does.
    pub attributes: Vec<String>,
}

impl Default for Stamp {
    /// The conversation or the session that a span names.
    fn default() -> Self {
        let attributes = [crate::semconv::CONVERSATION_ID.key(), crate::semconv::SESSION_ID.key()];
        Self { attributes: attributes.map(str::to_owned).into() }
    }
}

/// What [`Dialect`](super::Dialect) does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DialectOptions {
    /// What becomes of the names of other dialects.
    pub originals: Originals,
    /// Whether GenAI spans without a rollout get one, and from where.
    pub stamp: Option<Stamp>,
}

impl DialectOptions {
    /// The same with this for the names of other dialects.
    #[must_use]
    pub const fn originals(mut self, originals: Originals) -> Self {
        self.originals = originals;
        self
    }

    /// The same with rollouts for spans that name none.
    #[must_use]
    pub fn stamp(mut self, stamp: Stamp) -> Self {
        self.stamp = Some(stamp);
        self
    }
}
