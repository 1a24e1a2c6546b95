//! Spans of others as calls: the GenAI conventions without our identity, their older names, rig, OpenInference, OpenLLMetry
//! and the Vercel AI SDK.
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
//! names, or else its trace; there is one thread, and a turn is a trace. An agent inside of another one's trace is therefore
//! a part of the same turn.
//!
//! Of content it takes what `privacy` has left beside it: of tool calls, digest and length of what stood in the dialect's
//! own attributes. Messages in a dialect's own attributes are not told apart; those in the conventions' are, as `privacy`
//! has told them.

mod identity;
mod operation;
mod tool;

use crate::event::{Attrs, CallKind, CallRecord, ProducerId, Value, Veiled};
use crate::otlp::SpanView;
use crate::otlp::any::AnyView;
use crate::otlp::decode::{self, Gathered, NotACall};
use crate::semconv::{self as s, ALIASES, KeyId, Phase, Type, lookup};

/// The record of a span, whoever made it. For our own spans that of [`decode::call`].
///
/// # Errors
///
/// [`NotACall`]: in no dialect, or a core field of ours that is wrong.
pub fn call(span: &SpanView<'_>, producer: Option<ProducerId>) -> Result<CallRecord<Veiled>, NotACall> {
    match decode::call(span, producer) {
        Err(NotACall::NotGenAi | NotACall::NoIdentity) => {
            let mut gathered = decode::gather(span)?;
            translate(span, &mut gathered)?;
            decode::assemble(span, producer, gathered)
        }
        told => told,
    }
}

/// Adds what the span says in other words.
fn translate(span: &SpanView<'_>, gathered: &mut Gathered) -> Result<(), NotACall> {
    let mut foreign: Vec<(KeyId, AnyView<'_>)> = Vec::new();
    for attribute in span.attributes() {
        let (key, value) = attribute?;
        if let Some(id) = lookup(key).filter(|id| id.name().phase == Phase::Foreign) {
            foreign.push((id, value));
        }
    }
    let said = Said(foreign);
    for (name, own) in ALIASES {
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
    let operation = operation::of(&said, &gathered.opened).ok_or(NotACall::NotGenAi)?;
    gathered.opened.set(s::OPERATION_NAME, operation.into());
    let kind = CallKind::of_operation(operation).ok_or(NotACall::NotGenAi)?;
    name(kind, &said, &mut gathered.opened);
    if kind == CallKind::Tool {
        tool::content(span, &mut gathered.core)?;
    }
    identity::settle(span, &mut gathered.core, &gathered.opened)
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
