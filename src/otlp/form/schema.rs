//! The messages of OTLP 1.10 that stand in a span, a resource or a scope.

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    /// A repeated string.
    Texts,
    Bytes,
    /// Bytes that are either none or so many.
    Id(usize),
    Bool,
    Uint32,
    Int32,
    Int64,
    Fixed32,
    Fixed64,
    /// A singular message.
    One(&'static Message),
    /// A repeated message.
    Many(&'static Message),
}

/// The fields of a message, by their number.
pub(super) struct Message {
    fields: &'static [Option<Kind>],
    /// Whether it is an `AnyValue`, which counts as a level of depth and holds one field at most.
    pub(super) is_value: bool,
    /// Whether it is a `KeyValue`.
    pub(super) is_pair: bool,
}

impl Message {
    const fn new(fields: &'static [Option<Kind>]) -> Self {
        Self { fields, is_value: false, is_pair: false }
    }

    pub(super) fn field(&self, number: u32) -> Option<Kind> {
        self.fields.get(number as usize).copied().flatten()
    }
}

use Kind::*;

pub(super) static SPAN: Message = Message::new(&[
    None,
    Some(Id(16)),
    Some(Id(8)),
    Some(Text),
    Some(Id(8)),
    Some(Text),
    Some(Int32),
    Some(Fixed64),
    Some(Fixed64),
    Some(Many(&KEY_VALUE)),
    Some(Uint32),
    Some(Many(&EVENT)),
    Some(Uint32),
    Some(Many(&LINK)),
    Some(Uint32),
    Some(One(&STATUS)),
    Some(Fixed32),
]);

static EVENT: Message = Message::new(&[None, Some(Fixed64), Some(Text), Some(Many(&KEY_VALUE)), Some(Uint32)]);

static LINK: Message =
    Message::new(&[None, Some(Id(16)), Some(Id(8)), Some(Text), Some(Many(&KEY_VALUE)), Some(Uint32), Some(Fixed32)]);

static STATUS: Message = Message::new(&[None, None, Some(Text), Some(Int32)]);

pub(super) static RESOURCE: Message =
    Message::new(&[None, Some(Many(&KEY_VALUE)), Some(Uint32), Some(Many(&ENTITY_REF))]);

static ENTITY_REF: Message = Message::new(&[None, Some(Text), Some(Text), Some(Texts), Some(Texts)]);

pub(super) static INSTRUMENTATION_SCOPE: Message =
    Message::new(&[None, Some(Text), Some(Text), Some(Many(&KEY_VALUE)), Some(Uint32)]);

/// Field 3 and the value's field 8 refer to a table of strings that only profiles have; they are known, and harmless.
static KEY_VALUE: Message =
    Message { fields: &[None, Some(Text), Some(One(&ANY_VALUE)), Some(Int32)], is_value: false, is_pair: true };

static ANY_VALUE: Message = Message {
    fields: &[
        None,
        Some(Text),
        Some(Bool),
        Some(Int64),
        Some(Fixed64),
        Some(One(&ARRAY)),
        Some(One(&MAP)),
        Some(Bytes),
        Some(Int32),
    ],
    is_value: true,
    is_pair: false,
};

static ARRAY: Message = Message::new(&[None, Some(Many(&ANY_VALUE))]);

static MAP: Message = Message::new(&[None, Some(Many(&KEY_VALUE))]);
