//! The state of an agent at a cut.

use std::fmt;

use bytestring::ByteString;
use serde_json::{Map, Value, json};

use super::history;
use crate::event::{At, CallKind, Event, Item, Key, Kind, Measure, Scope, SpanIds, Veiled};
use crate::record::CallRef;
use crate::replay::recording::{Checkpoint, Cut, CutError, Recording, Side};
use crate::replay::whole::Whole;
use crate::semconv::{AGENT_NAME, INPUT_TOKENS, OUTPUT_TOKENS, TOOL_CALL_ID, TOOL_NAME};

/// The state of an agent at a cut. `Debug` tells counts alone.
#[derive(Clone)]
pub struct State {
    /// Where the run was: the last turn before the cut.
    pub scope: Scope,
    /// The span of that turn, where it was told.
    pub span: Option<SpanIds>,
    /// The checkpoint that it was taken from, where it has an id.
    pub checkpoint: Option<ByteString>,
    /// What made the state (`veilspan.checkpoint.framework`).
    pub framework: Option<ByteString>,
    /// A name for people (`veilspan.checkpoint.label`).
    pub label: Option<ByteString>,
    /// The agent.
    pub agent: Option<ByteString>,
    /// Up to where it reaches.
    pub cut: Cut,
    /// What the model was shown and produced, as messages of the GenAI conventions, as much of it as was kept.
    pub messages: Vec<Value>,
    /// The system instructions, where they were kept.
    pub system: Option<Value>,
    /// The same as digests, roles and lengths, whatever was kept.
    pub items: Vec<Item>,
    /// How much of the content was kept.
    pub kept: Kept,
    /// The agent's own data that the checkpoint was told with, by which the agent knows what it has kept itself; and all of
    /// it, where that was kept.
    pub data: Option<Measure>,
    /// Whether all of the agent's own data was kept.
    pub data_kept: Kept,
    /// Calls that had begun and not ended.
    pub open: Vec<OpenCall>,
    /// The tokens that models had read up to then, where they were told.
    pub input_tokens: Option<i64>,
    /// The tokens that models had written up to then, where they were told.
    pub output_tokens: Option<i64>,
}

/// How much of the content of a state was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// All of it.
    Whole,
    /// Some: older messages were left out, or texts were cut or masked.
    Part,
    /// None: structure and digests alone.
    Nothing,
}

impl Kept {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Part => "part",
            Self::Nothing => "nothing",
        }
    }
}

/// A call that had begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCall {
    /// What kind of call.
    pub kind: CallKind,
    /// Its tool.
    pub tool: Option<ByteString>,
    /// The provider's id of it.
    pub call_id: Option<ByteString>,
    /// When it began.
    pub began_at: At,
}

/// Why no state can be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreRefused {
    /// The text names no checkpoint of the recording, and is no cut.
    #[error("no checkpoint has this id, and it is no cut: {0}")]
    Cut(#[from] CutError),
    /// The checkpoint has neither a time nor a place in its process: everything would come after it.
    #[error("the checkpoint has neither a time nor a sequence number, so nothing can be told to come after it")]
    Unordered,
    /// Nothing had happened yet.
    #[error("no turn began before the cut")]
    Empty,
}

/// The state at a checkpoint, by its id, or at a cut.
///
/// # Errors
///
/// There is no such checkpoint and it is no cut; nothing orders the checkpoint; no turn began before it.
pub fn restorable(recording: &Recording, at: &str) -> Result<State, RestoreRefused> {
    if let Some(checkpoint) = recording.checkpoint(at) {
        return State::at(recording, Some(&checkpoint), checkpoint.cut.as_ref().ok_or(RestoreRefused::Unordered)?);
    }
    State::at(recording, None, &Cut::parse(at)?)
}

impl State {
    /// The state at a cut, of a checkpoint where it was taken from one.
    ///
    /// # Errors
    ///
    /// No turn began before the cut.
    pub fn at(recording: &Recording, checkpoint: Option<&Checkpoint>, cut: &Cut) -> Result<Self, RestoreRefused> {
        let before: Vec<&Event<Veiled>> =
            recording.events().iter().filter(|event| cut.side(event.at) == Side::Before).collect();
        let is_turn = |event: &&&Event<Veiled>| {
            let of_checkpoint = checkpoint.is_none_or(|checkpoint| *event.scope == checkpoint.scope);
            of_checkpoint && matches!(event.kind, Kind::Opened(..))
        };
        let turn = before.iter().rev().filter(is_turn).find(|event| event.key.kind == CallKind::Turn);
        let last = before.iter().rfind(is_turn).ok_or(RestoreRefused::Empty)?;
        let scope = turn.map_or_else(|| Scope::clone(&last.scope), |turn| Scope::clone(&turn.scope));
        let (span, agent) = match turn.map(|turn| &turn.kind) {
            Some(Kind::Opened(opened, _)) => (Some(opened.span), opened.attrs.get(AGENT_NAME)),
            _ => (None, None),
        };
        let (under, hashers) = (recording.under(), recording.hashers(recording.under()));
        let shown = history::collect(&before, &scope, &hashers, under);
        let data = checkpoint.and_then(|checkpoint| checkpoint.data.clone());
        let told_under = checkpoint.and_then(|checkpoint| checkpoint.policy.as_ref());
        let data_kept = history::kept(data.as_ref(), &Whole::new(&hashers, told_under, under));
        let sum = |attr| -> Option<i64> {
            let tokens = before.iter().filter_map(|event| match &event.kind {
                Kind::Closed(closed, _) if event.key.kind == CallKind::Inference => closed.attrs.get(attr),
                _ => None,
            });
            tokens.filter(|tokens: &i64| *tokens >= 0).reduce(i64::saturating_add)
        };
        Ok(Self {
            scope,
            span,
            checkpoint: checkpoint.map(|checkpoint| checkpoint.id.clone()),
            framework: checkpoint.and_then(|checkpoint| checkpoint.framework.clone()),
            label: checkpoint.and_then(|checkpoint| checkpoint.label.clone()),
            agent,
            cut: cut.clone(),
            messages: shown.messages,
            system: shown.system,
            items: shown.items,
            kept: shown.kept,
            data,
            data_kept,
            open: open(&before),
            input_tokens: sum(INPUT_TOKENS),
            output_tokens: sum(OUTPUT_TOKENS),
        })
    }

    /// Where the new rollout comes from, for [`replay_of`](crate::record::Builder::replay_of) of its turn. Nothing where the
    /// turn's span was not told.
    pub fn origin(&self) -> Option<CallRef> {
        let span = self.span?;
        Some(CallRef::of_span(self.scope.clone(), span.trace, span.span))
    }

    /// The agent's own data, where all of it was kept: as JSON where it is that, else as a text.
    pub fn agent_data(&self) -> Option<Value> {
        self.shown_data().filter(|_| self.data_kept == Kept::Whole)
    }

    fn shown_data(&self) -> Option<Value> {
        let content = self.data.as_ref()?.shown.content()?;
        Some(serde_json::from_str(content).unwrap_or_else(|_| Value::from(&**content)))
    }

    /// The state as JSON. Holds the content that was kept.
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        let mut put = |name: &str, value: Option<Value>| drop(value.map(|value| map.insert(name.to_owned(), value)));
        let text = |text: &Option<ByteString>| text.as_deref().map(Value::from);
        put("tenant", text(&self.scope.tenant));
        put("rollout", Some((*self.scope.rollout).into()));
        put("thread", Some((*self.scope.thread).into()));
        put("turn", Some((*self.scope.turn).into()));
        put("trace", self.span.map(|span| span.trace.to_string().into()));
        put("span", self.span.map(|span| span.span.to_string().into()));
        put("checkpoint", text(&self.checkpoint));
        put("framework", text(&self.framework));
        put("label", text(&self.label));
        put("agent", text(&self.agent));
        put("cut", Some(self.cut.to_string().into()));
        put("content", Some(self.kept.as_str().into()));
        put("system", self.system.clone());
        put("messages", (self.kept != Kept::Nothing).then(|| self.messages.clone().into()));
        put("items", Some(self.items.iter().map(item).collect()));
        let data = |data: &Measure| {
            let digest = data.digest.map(|digest| digest.to_string());
            let mut json = json!({"digest": digest, "length": data.length, "content": self.data_kept.as_str()});
            if let (Some(map), Some(value)) = (json.as_object_mut(), self.shown_data()) {
                map.insert("value".to_owned(), value);
            }
            json
        };
        put("data", self.data.as_ref().map(data));
        put("open", Some(self.open.iter().map(open_call).collect()));
        put("input_tokens", self.input_tokens.map(Value::from));
        put("output_tokens", self.output_tokens.map(Value::from));
        let mut json = Value::Object(map);
        json.sort_all_objects();
        json
    }
}

fn item(item: &Item) -> Value {
    let digest = item.digest.map(|digest| digest.to_string());
    json!({"role": item.role.as_str(), "digest": digest, "length": item.length, "parts": &*item.part_kinds})
}

fn open_call(call: &OpenCall) -> Value {
    json!({
        "kind": call.kind.default_operation(), "tool": call.tool.as_deref(), "call_id": call.call_id.as_deref(),
        "began_unix_nano": call.began_at.time_unix_nano,
    })
}

/// The calls that have begun and not ended, but the turns themselves.
fn open(before: &[&Event<Veiled>]) -> Vec<OpenCall> {
    let ended: std::collections::HashSet<(&Scope, Key)> = before
        .iter()
        .filter(|event| matches!(event.kind, Kind::Closed(..)))
        .map(|event| (&*event.scope, event.key))
        .collect();
    let is_open =
        |event: &&&Event<Veiled>| event.key.kind != CallKind::Turn && !ended.contains(&(&*event.scope, event.key));
    let call = |event: &&Event<Veiled>| match &event.kind {
        Kind::Opened(opened, _) => Some(OpenCall {
            kind: event.key.kind,
            tool: opened.attrs.get(TOOL_NAME),
            call_id: opened.attrs.get(TOOL_CALL_ID),
            began_at: event.at,
        }),
        _ => None,
    };
    before.iter().filter(is_open).filter_map(call).collect()
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("messages", &self.messages.len())
            .field("items", &self.items.len())
            .field("kept", &self.kept)
            .field("open", &self.open.len())
            .finish_non_exhaustive()
    }
}
