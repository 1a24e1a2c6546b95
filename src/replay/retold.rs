//! Recorded calls as those of a rollout of their own, which says what it repeats.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytestring::ByteString;

use crate::event::{
    At, CallIds, CallRecord, EdgeKind, KeyIdentity, Link, ProducerId, Scope, SpanId, SpanIds, TraceId, Veiled,
};
use crate::replay::Provenance;
use crate::semconv::{REPLAY_CHECKPOINT, REPLAY_OF, REPLAY_PROVENANCE};

/// Recorded calls under ids of their own, in a new rollout: each names the rollout that it repeats, the checkpoint from
/// which on, and that it comes from a recording, and is linked to the span that it repeats. What one of them is a child of
/// or is linked to is the repeated span where that is among them, and otherwise the original. Times are the recorded ones.
pub fn retold(
    calls: Vec<CallRecord<Veiled>>,
    checkpoint: Option<&ByteString>,
) -> (Vec<CallRecord<Veiled>>, ProducerId) {
    let first = calls.iter().map(|call| call.opened_at.time_unix_nano).min().unwrap_or_default();
    let mut ids = Ids {
        among: calls.iter().map(|call| (call.opened.span.trace, call.opened.span.span)).collect(),
        rollout: TraceId::random().to_string().into(),
        producer: ProducerId::generate(first),
        traces: HashMap::new(),
        spans: HashMap::new(),
    };
    let calls = calls.into_iter().map(|call| ids.call(call, checkpoint)).collect();
    (calls, ids.producer)
}

struct Ids {
    among: HashSet<(TraceId, SpanId)>,
    rollout: ByteString,
    producer: ProducerId,
    traces: HashMap<TraceId, TraceId>,
    spans: HashMap<(TraceId, SpanId), SpanId>,
}

impl Ids {
    fn trace(&mut self, trace: TraceId) -> TraceId {
        *self.traces.entry(trace).or_insert_with(TraceId::random)
    }

    /// The new ids of a span that is repeated.
    fn span(&mut self, trace: TraceId, span: SpanId) -> Option<(TraceId, SpanId)> {
        let among = self.among.contains(&(trace, span));
        let new = *self.spans.entry((trace, span)).or_insert_with(SpanId::random);
        among.then(|| (self.trace(trace), new))
    }

    fn at(&self, at: At) -> At {
        At { producer: at.producer.map(|_| self.producer), ..at }
    }

    fn call(&mut self, mut call: CallRecord<Veiled>, checkpoint: Option<&ByteString>) -> CallRecord<Veiled> {
        let before = call.opened.span;
        let origin = Link { trace: before.trace, span: before.span, kind: Some(EdgeKind::Replay) };
        let (trace, span) = self.span(before.trace, before.span).unwrap_or((before.trace, before.span));
        let parent = before.parent.and_then(|parent| self.span(before.trace, parent)).map(|(_, parent)| parent);
        let parent_is_remote = before.parent_is_remote && parent.is_some();
        call.opened.span = SpanIds { trace, span, parent, parent_is_remote };
        for link in &mut call.opened.links {
            if let Some((trace, span)) = self.span(link.trace, link.span) {
                (link.trace, link.span) = (trace, span);
            }
        }
        call.opened.links.push(origin);
        let attrs = &mut call.opened.attrs;
        attrs.set(REPLAY_OF, call.scope.rollout.clone());
        attrs.set(REPLAY_PROVENANCE, ByteString::from_static(Provenance::Recorded.as_str()));
        if let Some(checkpoint) = checkpoint {
            attrs.set(REPLAY_CHECKPOINT, checkpoint.clone());
        }
        call.scope = Arc::new(Scope { rollout: self.rollout.clone(), ..Scope::clone(&call.scope) });
        call.id = match call.id {
            KeyIdentity::Call(_) => KeyIdentity::Call(CallIds::of_process().next(call.opened_at.time_unix_nano)),
            KeyIdentity::Span(..) => KeyIdentity::Span(trace, span),
            KeyIdentity::None => KeyIdentity::None,
        };
        call.opened_at = self.at(call.opened_at);
        call.closed_at = self.at(call.closed_at);
        for marked in &mut call.marks {
            marked.at = self.at(marked.at);
        }
        call
    }
}
