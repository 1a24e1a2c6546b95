//! Strategies for requests as any producer could send them, and for other ways to write the same message.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use veilspan::otlp::wire::Fields;

/// Any request that prost could have encoded, with ids of the right length.
pub fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scope_spans = (option::of(scope()), vec(span(), 0..4), text())
        .prop_map(|(scope, spans, schema_url)| ScopeSpans { scope, spans, schema_url });
    let resource_spans = (option::of(resource()), vec(scope_spans, 0..3), text())
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url });
    vec(resource_spans, 0..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => ".{0,6}", 1 => (100usize..150).prop_map(|length| "z".repeat(length))]
}

fn any_value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        text().prop_map(Value::StringValue),
        any::<bool>().prop_map(Value::BoolValue),
        any::<i64>().prop_map(Value::IntValue),
        (-1e9..1e9f64).prop_map(Value::DoubleValue),
        vec(any::<u8>(), 0..20).prop_map(Value::BytesValue),
    ];
    let leaf = option::of(leaf).prop_map(|value| AnyValue { value });
    leaf.prop_recursive(4, 12, 3, |inner| {
        let pair =
            (text(), option::of(inner.clone())).prop_map(|(key, value)| KeyValue { key, value, ..KeyValue::default() });
        prop_oneof![
            vec(inner, 0..3).prop_map(|values| Value::ArrayValue(ArrayValue { values })),
            vec(pair, 0..3).prop_map(|values| Value::KvlistValue(KeyValueList { values })),
        ]
        .prop_map(|value| AnyValue { value: Some(value) })
    })
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let pair =
        (text(), option::of(any_value())).prop_map(|(key, value)| KeyValue { key, value, ..KeyValue::default() });
    vec(pair, 0..4)
}

fn resource() -> impl Strategy<Value = Resource> {
    let entity = (text(), text(), vec(text(), 0..3)).prop_map(|(schema_url, r#type, id_keys)| EntityRef {
        schema_url,
        r#type,
        description_keys: id_keys.clone(),
        id_keys,
    });
    (attributes(), any::<u32>(), vec(entity, 0..2)).prop_map(|(attributes, dropped_attributes_count, entity_refs)| {
        Resource { attributes, dropped_attributes_count, entity_refs }
    })
}

fn scope() -> impl Strategy<Value = InstrumentationScope> {
    (text(), text(), attributes()).prop_map(|(name, version, attributes)| InstrumentationScope {
        name,
        version,
        attributes,
        dropped_attributes_count: 0,
    })
}

fn id(length: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => vec(any::<u8>(), length), 1 => Just(Vec::new())]
}

/// Any span that prost could have encoded.
pub fn span() -> impl Strategy<Value = Span> {
    let event = (any::<u64>(), text(), attributes()).prop_map(|(time_unix_nano, name, attributes)| Event {
        time_unix_nano,
        name,
        attributes,
        dropped_attributes_count: 1,
    });
    let link = (id(16), id(8), attributes(), any::<u32>()).prop_map(|(trace_id, span_id, attributes, flags)| Link {
        trace_id,
        span_id,
        trace_state: String::new(),
        attributes,
        dropped_attributes_count: 0,
        flags,
    });
    let status = (text(), 0..3i32).prop_map(|(message, code)| Status { message, code });
    let ids = (id(16), id(8), id(8), text(), any::<u32>());
    let outer = (text(), -1..7i32, any::<u64>(), any::<u64>(), any::<u32>());
    (ids, outer, attributes(), vec(event, 0..2), vec(link, 0..2), option::of(status)).prop_map(
        |((trace_id, span_id, parent_span_id, trace_state, flags), outer, attributes, events, links, status)| {
            let (name, kind, start_time_unix_nano, end_time_unix_nano, dropped_attributes_count) = outer;
            Span {
                trace_id,
                span_id,
                trace_state,
                parent_span_id,
                flags,
                name,
                kind,
                start_time_unix_nano,
                end_time_unix_nano,
                attributes,
                dropped_attributes_count,
                events,
                dropped_events_count: 0,
                links,
                dropped_links_count: 0,
                status,
            }
        },
    )
}

/// What is done to a message without changing its meaning.
#[derive(Clone, Debug)]
pub struct Disguise {
    /// Fields of different numbers change places.
    pub shuffle: u64,
    /// Fields that OTLP does not know are put between.
    pub unknown: bool,
    /// Keys of fields are a byte longer than they have to be.
    pub padded: bool,
}

pub fn disguise() -> impl Strategy<Value = Disguise> {
    (any::<u64>(), any::<bool>(), any::<bool>()).prop_map(|(shuffle, unknown, padded)| Disguise {
        shuffle,
        unknown,
        padded,
    })
}

impl Disguise {
    /// The same message in other bytes. Parts of one message field stay in order.
    pub fn apply(&self, message: &[u8]) -> Vec<u8> {
        let mut fields = Fields::new(message);
        let mut slices = Vec::new();
        let mut start = 0;
        while let Some(field) = fields.next() {
            slices.push((field.unwrap().number, &message[start..fields.position()]));
            start = fields.position();
        }
        slices.sort_by_key(|(number, _)| u64::from(*number).wrapping_mul(self.shuffle | 1));
        let mut out = Vec::new();
        for (_, field) in slices {
            if self.unknown {
                // Field 100: a varint, bytes, and a group that holds a varint.
                out.extend_from_slice(&[0xa0, 0x06, 0x07, 0xa2, 0x06, 0x01, b'u', 0xa3, 0x06, 0x08, 0x01, 0xa4, 0x06]);
            }
            match field {
                [key, rest @ ..] if self.padded && *key < 0x80 => {
                    out.extend_from_slice(&[key | 0x80, 0x00]);
                    out.extend_from_slice(rest);
                }
                _ => out.extend_from_slice(field),
            }
        }
        out
    }
}
