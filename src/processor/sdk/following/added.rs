//! Spans of our own making, as the SDK has them.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, StringValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::event::{self, Attrs, Value};
use crate::reduce::{SynthEvent, SynthSpan};
use crate::semconv;

/// The span, as one that has ended.
pub(super) fn span_data(span: &SynthSpan) -> SpanData {
    let mut links = SpanLinks::default();
    links.links = span.links.iter().map(link).collect();
    links.dropped_count = span.dropped_links;
    let mut events = SpanEvents::default();
    let event =
        |event: &SynthEvent| Event::new(SynthEvent::NAME, time(event.at_unix_nano), attributes(&event.attrs), 0);
    events.events = span.events.iter().map(event).collect();
    events.dropped_count = span.dropped_events;
    SpanData {
        span_context: context(span.trace, span.span, false),
        parent_span_id: span.parent.map_or(SpanId::INVALID, |parent| SpanId::from_bytes(*parent.as_bytes())),
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: Cow::Owned(span.name.clone()),
        start_time: time(span.start_unix_nano),
        end_time: time(span.end_unix_nano),
        attributes: attributes(&span.attrs),
        dropped_attributes_count: 0,
        events,
        links,
        status: if span.is_error { Status::error("") } else { Status::Unset },
        instrumentation_scope: InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
            .with_version(env!("CARGO_PKG_VERSION"))
            .build(),
    }
}

fn attributes(attrs: &Attrs) -> Vec<KeyValue> {
    attrs.iter().map(|(id, value)| KeyValue::new(id.name().key, sdk_value(value))).collect()
}

fn link(link: &event::Link) -> Link {
    let kind = link.kind.map(|kind| KeyValue::new(semconv::EDGE_KIND.key(), kind.as_str()));
    Link::new(context(link.trace, link.span, true), kind.into_iter().collect(), 0)
}

/// A link may lead anywhere; only what is linked to can be remote.
fn context(trace: event::TraceId, span: event::SpanId, is_remote: bool) -> SpanContext {
    let (trace, span) = (TraceId::from_bytes(*trace.as_bytes()), SpanId::from_bytes(*span.as_bytes()));
    SpanContext::new(trace, span, TraceFlags::SAMPLED, is_remote, TraceState::NONE)
}

pub(super) fn time(unix_nano: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(unix_nano)).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn sdk_value(value: &Value) -> opentelemetry::Value {
    let text = |text: &str| StringValue::from(text.to_owned());
    match value {
        Value::Text(one) => opentelemetry::Value::String(text(one)),
        Value::Int(number) => (*number).into(),
        Value::Double(number) => (*number).into(),
        Value::Bool(flag) => (*flag).into(),
        Value::Texts(all) => {
            let all: Vec<StringValue> = all.iter().map(|one| text(one)).collect();
            opentelemetry::Value::Array(all.into())
        }
        Value::Ints(numbers) => opentelemetry::Value::Array(numbers.clone().into()),
    }
}
