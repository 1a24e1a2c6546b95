//! Where a span belongs that names no rollout.

use bytestring::ByteString;

use crate::event::Attrs;
use crate::otlp::SpanView;
use crate::otlp::decode::NotACall;
use crate::otlp::fields::Core;
use crate::semconv::CONVERSATION_ID;

/// A rollout that is named stays. The conversation that a span names, unless it names another thing so, or else its trace;
/// a turn is a trace.
pub(super) fn settle(
    span: &SpanView<'_>,
    core: &mut Core,
    opened: &Attrs,
    has_conversation: bool,
) -> Result<(), NotACall> {
    if core.rollout.is_some() {
        return Ok(());
    }
    let trace: ByteString = span.trace_id().ok_or(NotACall::Field("trace_id"))?.to_string().into();
    let conversation = opened.get(CONVERSATION_ID).filter(|id| has_conversation && !id.is_empty());
    core.rollout = Some(conversation.unwrap_or_else(|| trace.clone()));
    core.turn.get_or_insert(trace);
    Ok(())
}
