//! The class of every string and bytes field of OTLP's trace messages, beside those of attributes.

use super::{Class, Field};

/// What may happen to a field of OTLP when it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldClass {
    /// An id of so many bytes, made at random: no place for text.
    Id(usize),
    /// As an attribute of this class.
    Of(Class),
    /// The value of an attribute: of the class that its key has in the [table](super::table).
    ByKey,
}

/// A string or bytes field of a message.
#[derive(Clone, Copy, Debug)]
pub struct WireField {
    /// The message, without `opentelemetry.proto.` before it.
    pub message: &'static str,
    /// The field's name.
    pub name: &'static str,
    /// Its number on the wire.
    pub number: u32,
    /// What may happen to it.
    pub class: FieldClass,
}

const fn field(message: &'static str, name: &'static str, number: u32, class: FieldClass) -> WireField {
    WireField { message, name, number, class }
}

const LABEL: FieldClass = FieldClass::Of(Class::Label);

/// All of them, in requests and in answers. The `.proto` files of `opentelemetry-proto` are tested against it.
pub static WIRE_FIELDS: &[WireField] = &[
    field("trace.v1.ResourceSpans", "schema_url", 3, LABEL),
    field("trace.v1.ScopeSpans", "schema_url", 3, LABEL),
    field("trace.v1.Span", "trace_id", 1, FieldClass::Id(16)),
    field("trace.v1.Span", "span_id", 2, FieldClass::Id(8)),
    // Keys and values that are labels, in W3C Trace Context's form.
    field("trace.v1.Span", "trace_state", 3, LABEL),
    field("trace.v1.Span", "parent_span_id", 4, FieldClass::Id(8)),
    // An operation and a label.
    field("trace.v1.Span", "name", 5, LABEL),
    field("trace.v1.Span.Event", "name", 2, LABEL),
    field("trace.v1.Span.Link", "trace_id", 1, FieldClass::Id(16)),
    field("trace.v1.Span.Link", "span_id", 2, FieldClass::Id(8)),
    field("trace.v1.Span.Link", "trace_state", 3, LABEL),
    field("trace.v1.Status", "message", 2, FieldClass::Of(Class::Content(Field::Errors))),
    field("common.v1.KeyValue", "key", 1, LABEL),
    field("common.v1.AnyValue", "string_value", 1, FieldClass::ByKey),
    field("common.v1.AnyValue", "bytes_value", 7, FieldClass::ByKey),
    field("common.v1.InstrumentationScope", "name", 1, LABEL),
    field("common.v1.InstrumentationScope", "version", 2, LABEL),
    field("common.v1.EntityRef", "schema_url", 1, LABEL),
    field("common.v1.EntityRef", "type", 2, LABEL),
    field("common.v1.EntityRef", "id_keys", 3, LABEL),
    field("common.v1.EntityRef", "description_keys", 4, LABEL),
    // A sentence of the stage's own, never the next hop's.
    field("collector.trace.v1.ExportTracePartialSuccess", "error_message", 2, FieldClass::Of(Class::Constant)),
];
