//! The shape of a table row, and typed handles into it.

use std::marker::PhantomData;

use super::{Class, names};

/// One attribute name and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// The key as it stands on the wire.
    pub key: &'static str,
    /// The type of its value.
    pub kind: Type,
    /// What may leave of it.
    pub class: Class,
    /// The specification the name comes from.
    pub origin: Origin,
    /// Which half of a call carries it.
    pub phase: Phase,
}

/// The type of an attribute's value, as OTLP's `AnyValue` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Type {
    /// A string.
    Text,
    /// A signed 64-bit integer.
    Int,
    /// A 64-bit float.
    Double,
    /// A boolean.
    Bool,
    /// An array of strings.
    Texts,
    /// An array of integers.
    Ints,
    /// A structure: an array or map of any values, or its JSON text.
    Any,
}

/// The specification that a name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// OpenTelemetry's GenAI semantic conventions as of v1.41.
    GenAi,
    /// A name of the GenAI conventions after v1.41, written beside the older one.
    GenAiNext,
    /// A GenAI name of v1.36 or before: read, never written.
    GenAiOld,
    /// OpenTelemetry's general semantic conventions.
    Otel,
    /// OpenInference: read, never written.
    OpenInference,
    /// OpenLLMetry: read, never written.
    OpenLlmetry,
    /// rig's own: read, never written.
    Rig,
    /// The Vercel AI SDK: read, never written.
    VercelAi,
    /// Claude Code's own spans: read, never written.
    ClaudeCode,
    /// Codex' own spans: read, never written.
    Codex,
    /// Ours: what the conventions lack.
    Veilspan,
}

/// Which part of a call carries an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Known when the call opens.
    Opened,
    /// Known when it closes.
    Closed,
    /// On a mark, beside those of the two halves.
    Marked,
    /// Written from a typed field of the record, so it never stands among the free attributes.
    Core,
    /// Read from others, never written.
    Foreign,
}

/// The place of a name in the [`table`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub(crate) u16);

impl KeyId {
    /// The row that this stands for.
    pub fn name(self) -> &'static Name {
        // An id is only made from the table itself, so the fallback is never taken.
        table().get(usize::from(self.0)).unwrap_or(&names::UNNAMED)
    }
}

/// A name whose values have the Rust type `T`.
#[derive(Debug)]
pub struct Attr<T> {
    id: KeyId,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Attr<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Attr<T> {}

impl<T> Attr<T> {
    pub(super) const fn new(id: u16) -> Self {
        Self { id: KeyId(id), kind: PhantomData }
    }

    /// The place of this name in the table.
    pub const fn id(self) -> KeyId {
        self.id
    }

    /// The key as it stands on the wire.
    pub fn key(self) -> &'static str {
        self.id.name().key
    }
}

/// All names, in the order of their ids.
pub fn table() -> &'static [Name] {
    names::TABLE
}
