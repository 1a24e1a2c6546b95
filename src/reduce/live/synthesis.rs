//! The span of a turn that no producer reported.

use bytestring::ByteString;

use super::{SynthSpan, ids};
use crate::event::{Attrs, Outcome, SpanId, TraceId};
use crate::reduce::facts::RolloutKey;
use crate::reduce::graph::{Call, Finding, Turn};
use crate::semconv::{
    AGENT_NAME, CONVERSATION_ID, END_INFERRED, OPERATION_NAME, OUTCOME, ROLLOUT_ID, TENANT_ID, THREAD_ID, TURN_ID,
};

/// The trace and id of a turn's span: the one that was reported, else the one it gets here.
pub(super) fn span_of(key: &RolloutKey, thread: &str, turn: &Turn) -> Option<(TraceId, SpanId)> {
    let reported = turn.segments.iter().filter_map(|segment| segment.call.as_ref()).filter_map(|call| call.span).next();
    if let Some(span) = reported {
        return Some((span.trace, span.span));
    }
    let first = turn.calls().filter(|call| call.span.is_some()).min_by_key(|call| (call.opened_at, call.key))?;
    Some((first.span?.trace, ids::turn_span(key, thread, &turn.id)?))
}

/// Nothing where no call of the turn has a span, so that no trace is known.
pub(super) fn turn(key: &RolloutKey, thread: &ByteString, turn: &Turn, findings: &[Finding]) -> Option<SynthSpan> {
    let (trace, span) = span_of(key, thread, turn)?;
    let start = turn.started_unix_nano?;
    let times = turn.calls().flat_map(|call| [call.opened_at, call.closed_at]).flatten();
    let end = times.map(|at| at.time_unix_nano).max().unwrap_or(start);
    let outcome = turn.outcome.unwrap_or(Outcome::Abandoned);
    let mut attrs = Attrs::default();
    attrs.set(OPERATION_NAME, ByteString::from_static("invoke_agent"));
    attrs.set(ROLLOUT_ID, key.rollout.clone());
    attrs.set(THREAD_ID, thread.clone());
    attrs.set(TURN_ID, turn.id.clone());
    attrs.set(OUTCOME, ByteString::from_static(outcome.as_str()));
    attrs.set(END_INFERRED, true);
    if let Some(tenant) = &key.tenant {
        attrs.set(TENANT_ID, tenant.clone());
    }
    if let Some(agent) = &turn.agent {
        attrs.set(AGENT_NAME, agent.clone());
    }
    if let Some(conversation) = turn.calls().find_map(|call| call.attrs.get(CONVERSATION_ID)) {
        attrs.set(CONVERSATION_ID, conversation);
    }
    let name = turn.agent.as_ref().map_or_else(|| "invoke_agent".to_owned(), |agent| format!("invoke_agent {agent}"));
    let mut synthesised = SynthSpan {
        trace,
        span,
        parent: None,
        name,
        start_unix_nano: start,
        end_unix_nano: end.max(start),
        attrs,
        links: Vec::new(),
        dropped_links: 0,
        events: Vec::new(),
        dropped_events: 0,
        is_error: outcome.is_error(),
    };
    let mut calls: Vec<&Call> = turn.calls().collect();
    calls.sort_by_key(|call| (call.opened_at, call.key));
    let about = |finding: &&Finding| finding.thread.as_ref() == Some(thread) && finding.turn.as_ref() == Some(&turn.id);
    synthesised.tell(findings.iter().filter(about));
    synthesised.link_to(calls.into_iter().filter_map(|call| call.span).map(|span| (span.trace, span.span)));
    Some(synthesised)
}
