//! What the rules have left of a message, back into the SDK's types.

use std::borrow::Cow;

use opentelemetry::trace::{SpanContext, Status, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::SpanData;

use super::attributes::read;
use crate::otlp::wire::{Fields, Malformed, Wire};
use crate::otlp::{Attributes, SpanView};

/// Puts into a span what a `Span` message made of it says.
///
/// # Errors
///
/// A message that was not made of this span. Part of the span may still be as it was.
pub(super) fn span(span: &mut SpanData, message: &[u8]) -> Result<(), Malformed> {
    let view = SpanView::parse(message)?;
    replace(&mut span.name, view.name());
    span.attributes = read(view.attributes())?;
    keep_trace_state(&mut span.span_context, view.trace_state());
    if let Status::Error { description } = &mut span.status {
        replace(description, view.status().message);
    }
    let events: Vec<_> = view.events().collect::<Result<_, _>>()?;
    let links: Vec<_> = view.links().collect::<Result<_, _>>()?;
    if events.len() != span.events.events.len() || links.len() != span.links.links.len() {
        return Err(Malformed);
    }
    for (event, view) in span.events.events.iter_mut().zip(events) {
        replace(&mut event.name, view.name());
        event.attributes = read(view.attributes())?;
    }
    for (link, view) in span.links.links.iter_mut().zip(links) {
        keep_trace_state(&mut link.span_context, view.trace_state());
        link.attributes = read(view.attributes())?;
    }
    Ok(())
}

fn replace(text: &mut Cow<'static, str>, by: &str) {
    if **text != *by {
        *text = Cow::Owned(by.to_owned());
    }
}

/// A trace state stays as it is or goes.
fn keep_trace_state(context: &mut SpanContext, state: &str) {
    if state.is_empty() && *context.trace_state() != TraceState::NONE {
        *context = SpanContext::new(
            context.trace_id(),
            context.span_id(),
            context.trace_flags(),
            context.is_remote(),
            TraceState::NONE,
        );
    }
}

/// The attributes of a `Resource` message.
pub(super) fn resource(message: &[u8]) -> Result<Vec<KeyValue>, Malformed> {
    read(Attributes::new(message, 1))
}

/// A scope as an `InstrumentationScope` message says it, with a schema URL.
pub(super) fn scope(message: &[u8], schema_url: Option<&str>) -> Result<InstrumentationScope, Malformed> {
    let text = |number| text(message, number);
    let mut scope =
        InstrumentationScope::builder(text(1)?.unwrap_or_default()).with_attributes(read(Attributes::new(message, 3))?);
    if let Some(version) = text(2)? {
        scope = scope.with_version(version);
    }
    if let Some(url) = schema_url {
        scope = scope.with_schema_url(url.to_owned());
    }
    Ok(scope.build())
}

fn text(message: &[u8], number: u32) -> Result<Option<String>, Malformed> {
    for field in Fields::new(message) {
        let field = field?;
        if let Wire::Bytes(text) = field.value
            && field.number == number
        {
            return String::from_utf8(text.to_vec()).map(Some).map_err(|_| Malformed);
        }
    }
    Ok(None)
}
