//! The span that a closed rollout leaves.

use bytestring::ByteString;

use super::{SynthSpan, ids, synthesis};
use crate::event::{Attrs, EdgeKind, Link};
use crate::reduce::facts::{RolloutFacts, RolloutKey};
use crate::reduce::graph::{Finding, Rollout};
use crate::semconv::{
    AGENT_NAME, LATE, OUTCOME, REVISION, ROLLOUT_FINDINGS, ROLLOUT_GENERATION, ROLLOUT_ID, ROLLOUT_INFERENCES,
    ROLLOUT_REASON, ROLLOUT_THREADS, ROLLOUT_TOOL_CALLS, ROLLOUT_TURNS, TENANT_ID,
};

/// Nothing where no call was seen. It has no `gen_ai.operation.name`: it stands for no call, and must not be counted as one.
/// `is_told` of a finding that another span of ours tells.
pub(super) fn summary(
    facts: &RolloutFacts,
    graph: &Rollout,
    revision: u64,
    is_told: impl Fn(&Finding) -> bool,
) -> Option<SynthSpan> {
    let key = facts.key();
    let start = graph.started_unix_nano?;
    let mut attrs = Attrs::default();
    attrs.set(ROLLOUT_ID, graph.id.clone());
    if let Some(tenant) = &graph.tenant {
        attrs.set(TENANT_ID, tenant.clone());
    }
    if let Some(reason) = graph.closed {
        attrs.set(ROLLOUT_REASON, ByteString::from_static(reason.as_str()));
    }
    if let Some(outcome) = graph.outcome {
        attrs.set(OUTCOME, ByteString::from_static(outcome.as_str()));
    }
    if let Some(agent) = graph.agent() {
        attrs.set(AGENT_NAME, agent.clone());
    }
    for (attr, number) in [
        (ROLLOUT_GENERATION, graph.generation),
        (ROLLOUT_THREADS, graph.threads.len() as u64),
        (ROLLOUT_TURNS, graph.totals.turns),
        (ROLLOUT_INFERENCES, graph.totals.inferences),
        (ROLLOUT_TOOL_CALLS, graph.totals.tool_calls),
        (ROLLOUT_FINDINGS, graph.findings.len() as u64),
    ] {
        attrs.set(attr, int(number));
    }
    for (attr, sum) in graph.totals.tokens() {
        if let Some(sum) = sum {
            attrs.set(attr, sum);
        }
    }
    let mut summary = SynthSpan {
        trace: ids::summary_trace(key, graph.generation)?,
        span: ids::summary_span(key, graph.generation, revision)?,
        parent: None,
        name: graph.agent().map_or_else(|| "rollout".to_owned(), |agent| format!("rollout {agent}")),
        start_unix_nano: start,
        end_unix_nano: graph.last_unix_nano.unwrap_or(start).max(start),
        attrs,
        links: Vec::new(),
        dropped_links: 0,
        events: Vec::new(),
        dropped_events: 0,
        is_error: graph.outcome.is_some_and(|outcome| outcome.is_error()),
    };
    revise(&mut summary.attrs, revision);
    if let Some((trace, span)) = facts.resumes {
        summary.links.push(Link { trace, span, kind: Some(EdgeKind::Resume) });
    }
    let mut turns: Vec<_> = graph.turns().collect();
    turns.sort_by_key(|(thread, turn)| (turn.started_unix_nano, &thread.id, &turn.id));
    summary.tell(graph.findings.iter().filter(|finding| !is_told(finding)));
    summary.link_to(turns.into_iter().filter_map(|(thread, turn)| synthesis::span_of(key, &thread.id, turn)));
    Some(summary)
}

/// The same, once more: late data came, but what it says could not be kept.
pub(super) fn repeat(before: &SynthSpan, key: &RolloutKey, generation: u64, revision: u64) -> Option<SynthSpan> {
    let mut again = before.clone();
    again.span = ids::summary_span(key, generation, revision)?;
    revise(&mut again.attrs, revision);
    Some(again)
}

fn revise(attrs: &mut Attrs, revision: u64) {
    if revision > 0 {
        attrs.set(REVISION, int(revision));
        attrs.set(LATE, true);
    }
}

fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
