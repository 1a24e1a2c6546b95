//! Spans of others as calls: the GenAI conventions without our identity, their older names, rig, OpenInference, OpenLLMetry,
//! the Vercel AI SDK, and the spans that Claude Code and Codex make themselves.
//!
//! ```text
//! SpanView ─ decode ─▶ a call of ours
//!      └─ names, operation, identity ─▶ a call all the same
//! ```
//!
//! What a name means stands in [`semconv::ALIASES`](crate::semconv::ALIASES); a name of the conventions on the same span wins.
//! Which call it is follows from the dialect's own word for it, or else from what it has: a tool's name, a model.
//!
//! Identity cannot depend on what else arrives, so it is the span's own: the rollout is the conversation or session that it
//! names, or else its trace; there is one thread, and a turn is a trace. Which agent of a trace did what, reduction finds out,
//! that has seen all of it. Codex names a conversation on some of its spans alone, so that there the trace is the rollout.
//!
//! Of content it takes what `privacy` has told beside it, of whichever dialect it was.

mod agents;
mod identity;
mod operation;

use crate::event::{Attrs, CallKind, CallRecord, ProducerId, Value, Veiled};
use crate::otlp::SpanView;
use crate::otlp::any::{AnyView, Attributes};
use crate::otlp::decode::{self, NotACall};
use crate::otlp::gather::{Gathered, Known, gather};
use crate::otlp::wire::Malformed;
use crate::semconv::{self as s, ALIASES, KeyId, Phase, Type, lookup};
use agents::Agent;

/// The record of a span, whoever made it. For our own spans that of [`decode::call`].
///
/// # Errors
///
/// [`NotACall`]: in no dialect, or a core field of ours that is wrong.
pub fn call(span: &SpanView<'_>, producer: Option<ProducerId>) -> Result<CallRecord<Veiled>, NotACall> {
    call_among(span, producer, &mut Known::of_one())
}

/// The same of one span of a request, of whose attributes is `known` what others of its spans say.
pub(crate) fn call_among<'r>(
    span: &SpanView<'r>,
    producer: Option<ProducerId>,
    known: &mut Known<'r>,
) -> Result<CallRecord<Veiled>, NotACall> {
    let mut gathered = gather(span, known)?;
    let is_call = decode::kind(&gathered.opened).is_some();
    if !is_call || gathered.core.rollout.is_none() {
        let (kind, agent) = translate(span, &mut gathered)?;
        kind.ok_or(NotACall::NotGenAi)?;
        identity::settle(span, &mut gathered.core, &gathered.opened, agent != Some(Agent::Codex))?;
    }
    decode::assemble(span, producer, gathered)
}

/// Which call the attributes of a span tell of, whoever made it.
#[cfg(any(feature = "collector", feature = "sdk"))]
pub(crate) fn kind(span: &[u8]) -> Option<CallKind> {
    let span = SpanView::parse(span).ok()?;
    translate(&span, &mut gather(&span, &mut Known::of_one()).ok()?).ok()?.0
}

/// What a span says in other words than the conventions'.
#[cfg(feature = "collector")]
pub(crate) struct Translated {
    /// The conventions' names that it lacks, and what they would say.
    pub(crate) added: Vec<(KeyId, Value)>,
    /// Which call it is, if it is one.
    pub(crate) kind: Option<CallKind>,
    /// What plain words mean on it, where it is an agent's own.
    pub(crate) of_agent: &'static [(KeyId, KeyId)],
    /// Whether all spans of its run name their conversation, or none does.
    pub(crate) has_conversation: bool,
    /// Its trace, which is its turn and may be its rollout, where it names no rollout.
    pub(crate) identity: Option<bytestring::ByteString>,
}

/// Translates a span.
///
/// # Errors
///
/// [`NotACall`]: a core field of ours that is wrong, or bytes that cannot be read.
#[cfg(feature = "collector")]
pub(crate) fn translated(span: &SpanView<'_>) -> Result<Translated, NotACall> {
    let mut gathered = gather(span, &mut Known::of_one())?;
    let has_rollout = gathered.core.rollout.is_some();
    let before: Vec<KeyId> = gathered.opened.iter().chain(gathered.closed.iter()).map(|(id, _)| id).collect();
    let (kind, agent) = translate(span, &mut gathered)?;
    let told = gathered.opened.iter().chain(gathered.closed.iter());
    let added = told.filter(|(id, _)| !before.contains(id)).map(|(id, value)| (id, value.clone())).collect();
    let identity = span.trace_id().filter(|_| !has_rollout).map(|trace| trace.to_string().into());
    let of_agent = agent.map_or(&[][..], Agent::aliases);
    Ok(Translated { added, kind, of_agent, has_conversation: agent != Some(Agent::Codex), identity })
}

/// Adds what the span says in other words; the call that it is, and whose own span.
fn translate(span: &SpanView<'_>, gathered: &mut Gathered) -> Result<(Option<CallKind>, Option<Agent>), NotACall> {
    let said = Said::of(span.attributes())?;
    let agent = Agent::of(span, &said);
    let of_agent = agent.map_or(&[][..], Agent::aliases);
    let has_input = gathered.closed.value(s::INPUT_TOKENS.id()).is_some();
    let aliases = if said.0.is_empty() { &[][..] } else { ALIASES };
    for (name, own) in aliases.iter().chain(of_agent) {
        let attrs = match own.name().phase {
            Phase::Closed => &mut gathered.closed,
            _ => &mut gathered.opened,
        };
        if attrs.value(*own).is_none()
            && let Some(value) = said.value(*name, own.name().kind)?
        {
            attrs.insert(*own, value);
        }
    }
    // The conventions have two names for it, and readers of either.
    if let Some(tokens) = gathered.closed.get(s::CACHE_CREATION_TOKENS)
        && gathered.closed.value(s::CACHE_WRITE_TOKENS.id()).is_none()
    {
        gathered.closed.set(s::CACHE_WRITE_TOKENS, tokens);
    }
    let Gathered { opened, closed, .. } = gathered;
    let operation = match agent {
        Some(agent) => agent.operation(span, opened, closed),
        None => operation::of(&said, opened),
    };
    let Some(operation) = operation else { return Ok((None, agent)) };
    if let Some(agent) = agent {
        agent.adjust(&said, closed, has_input);
        if operation == "invoke_agent" && opened.text(s::AGENT_NAME).is_none() {
            opened.set(s::AGENT_NAME, agent.name().into());
        }
    }
    opened.set(s::OPERATION_NAME, operation.into());
    let kind = CallKind::of_operation(operation);
    if let Some(kind) = kind {
        name(kind, &said, opened);
    }
    Ok((kind, agent))
}

/// What a dialect calls a thing of whatever kind is the name of that kind.
fn name(kind: CallKind, said: &Said<'_>, opened: &mut Attrs) {
    let target = match kind {
        CallKind::Tool => s::TOOL_NAME,
        CallKind::Turn => s::AGENT_NAME,
        CallKind::Workflow => s::WORKFLOW_NAME,
        _ => return,
    };
    let given = said.text(s::OL_ENTITY_NAME.id()).or_else(|| said.text(s::AI_FUNCTION.id()));
    if let Some(given) = given.filter(|given| !given.is_empty() && opened.text(target).is_none()) {
        opened.set(target, given.into());
    }
}

/// The attributes of a span that have names of other dialects.
struct Said<'a>(Vec<(KeyId, AnyView<'a>)>);

impl<'a> Said<'a> {
    fn of(attributes: Attributes<'a>) -> Result<Self, Malformed> {
        let mut foreign = Vec::new();
        for attribute in attributes {
            let (key, value) = attribute?;
            if let Some(id) = lookup(key).filter(|id| id.name().phase == Phase::Foreign) {
                foreign.push((id, value));
            }
        }
        Ok(Self(foreign))
    }

    fn get(&self, id: KeyId) -> Option<&AnyView<'a>> {
        self.0.iter().find(|(known, _)| *known == id).map(|(_, value)| value)
    }

    fn text(&self, id: KeyId) -> Option<&'a str> {
        match self.get(id)? {
            AnyView::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as one of this type. Where a list is meant, one text is a list of one, and an empty one none.
    fn value(&self, id: KeyId, kind: Type) -> Result<Option<Value>, NotACall> {
        Ok(match (self.get(id), kind) {
            (Some(AnyView::Text("")), _) | (None, _) => None,
            (Some(AnyView::Text(text)), Type::Texts) => Some(Value::Texts(vec![(*text).into()])),
            (Some(value), kind) => decode::typed(kind, value)?,
        })
    }
}
