//! Spans as text that is the same in every run.

use std::fmt::Write;

use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;

/// Numbers and ids that differ from run to run, or say where in its process a span was made.
const BY_CHANCE: [&str; 5] =
    ["gen_ai.response.time_to_first_chunk", "server.port", "veilspan.call.id", "veilspan.seq", "veilspan.seq.end"];

/// The spans as trees: names, kinds, status and attributes.
pub fn trees(mut spans: Vec<Span>) -> String {
    spans.sort_by_key(|span| span.start_time_unix_nano);
    let mut told = String::new();
    for root in spans.iter().filter(|span| span.parent_span_id.is_empty()) {
        tell(&spans, root, 0, &mut told);
    }
    told
}

fn tell(spans: &[Span], span: &Span, depth: usize, told: &mut String) {
    let margin = "  ".repeat(depth);
    let status = span.status.as_ref().map(|status| (status.code(), !status.message.is_empty()));
    writeln!(told, "{margin}{} ({:?}, {status:?}, {} events)", span.name, span.kind(), span.events.len()).unwrap();
    let mut attributes: Vec<_> = span.attributes.iter().collect();
    attributes.sort_by_key(|attribute| &attribute.key);
    for attribute in attributes {
        let value = attribute.value.as_ref().map(|value| shown(spans, value)).unwrap_or_default();
        let value = if BY_CHANCE.contains(&attribute.key.as_str()) { "…".to_owned() } else { value };
        writeln!(told, "{margin}  {} = {value}", attribute.key).unwrap();
    }
    for inner in spans.iter().filter(|other| other.parent_span_id == span.span_id) {
        tell(spans, inner, depth + 1, told);
    }
}

fn shown(spans: &[Span], value: &AnyValue) -> String {
    match value.value.as_ref() {
        Some(Value::StringValue(text)) => format!("{:?}", without_chance(spans, text)),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => format!("{number:?}"),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        Some(Value::ArrayValue(array)) => {
            let values: Vec<_> = array.values.iter().map(|value| shown(spans, value)).collect();
            format!("[{}]", values.join(", "))
        }
        other => format!("{other:?}"),
    }
}

/// The start of a digest is enough to see that it differs; a span's ids are told as the span's name.
fn without_chance(spans: &[Span], text: &str) -> String {
    if let Some((algorithm, digits)) = text.split_once(':').filter(|(_, digits)| digits.len() == 64) {
        return format!("{algorithm}:{}…", digits.split_at(8).0);
    }
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let named = spans.iter().find(|span| text == format!("{}-{}", hex(&span.trace_id), hex(&span.span_id)));
    named.map_or_else(|| text.to_owned(), |span| format!("<{}>", span.name))
}
