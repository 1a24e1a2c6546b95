//! Bytes that mean something to prost but are not canonical: decoded and encoded again, so that what nobody knows is
//! gone, and what is left says all there is.

use std::borrow::Cow;

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use crate::otlp::Form;

/// A message whose form was not looked at yet, or is not canonical, in canonical bytes. Nothing for one that no receiver
/// takes.
fn rewritten<M: Message + Default>(
    form: Form,
    bytes: Cow<'_, [u8]>,
    check: fn(&mut M) -> bool,
) -> Option<Cow<'_, [u8]>> {
    match form {
        Form::Canonical => Some(bytes),
        Form::Malformed => None,
        Form::Loose => {
            let mut message = M::decode(&*bytes).ok()?;
            check(&mut message).then(|| Cow::Owned(message.encode_to_vec()))
        }
    }
}

pub(super) fn span(form: Form, bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    rewritten(form, Cow::Borrowed(bytes), has_ids)
}

/// The same of a span whose ids are nobody's business.
pub(super) fn other_span(form: Form, bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    rewritten::<Span>(form, Cow::Borrowed(bytes), |_| true)
}

pub(super) fn resource(form: Form, bytes: Cow<'_, [u8]>) -> Option<Cow<'_, [u8]>> {
    rewritten::<Resource>(form, bytes, |_| true)
}

pub(super) fn scope(form: Form, bytes: Cow<'_, [u8]>) -> Option<Cow<'_, [u8]>> {
    rewritten::<InstrumentationScope>(form, bytes, |_| true)
}

/// Whether the span's ids are ids, and not a place for text. A parent or a link that is none is no more than lost.
fn has_ids(span: &mut Span) -> bool {
    let is_id = |id: &[u8], length: usize| id.is_empty() || id.len() == length;
    if !is_id(&span.parent_span_id, 8) {
        span.parent_span_id.clear();
    }
    let before = span.links.len();
    span.links.retain(|link| is_id(&link.trace_id, 16) && is_id(&link.span_id, 8));
    let lost = u32::try_from(before - span.links.len()).unwrap_or(u32::MAX);
    span.dropped_links_count = span.dropped_links_count.saturating_add(lost);
    is_id(&span.trace_id, 16) && is_id(&span.span_id, 8)
}
