//! A state onto the caller's own type: on a copy first, which takes the place of the original once all of it is there.

use bytestring::ByteString;
use serde_json::{Map, Value};

use super::shapes;
use super::{AgentState, State, StateError};
use crate::event::TraceId;
use crate::replay::Run;
use crate::replay::recording::Recording;

/// What a state can be restored onto.
///
/// It is called on a copy: where it fails, the original is as it was before.
pub trait Restore: Clone {
    /// What it takes a state as, for a person: the framework that it is of, or `generic`.
    const NAME: &'static str;

    /// Takes the state in.
    ///
    /// # Errors
    ///
    /// It cannot be taken in. The text is shown to people: it must not hold content.
    fn restore(&mut self, state: &State) -> Result<(), RestoreError>;
}

/// Why a state could not be taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// It does not fit what the framework keeps.
    #[error(transparent)]
    State(#[from] StateError),
    /// The target refused it, for a reason of its own: a class of a few words, never content.
    #[error("the target refused the state: {0}")]
    Refused(&'static str),
}

/// A run that was taken up again.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The id of the new rollout: another each time.
    pub rollout: ByteString,
    /// What the state was taken as ([`Restore::NAME`]).
    pub taken_as: &'static str,
    /// Why the target is as it was before, where it could not take the state in. The state itself is restored all the same.
    pub error: Option<RestoreError>,
    /// What the original run did after the cut: what the new one is held against, whatever of it is told again.
    pub baseline: Option<Run>,
}

/// Takes a run up again: the state onto the target, in a new rollout. Nothing of the recording is changed.
///
/// The turn of the new run is linked to its origin by
/// [`replay_of`](crate::record::Builder::replay_of) with [`State::origin`].
pub fn restore<T: Restore>(recording: &Recording, state: &State, target: &mut T) -> Restored {
    let mut copy = target.clone();
    let error = copy.restore(state).err();
    if error.is_none() {
        *target = copy;
    }
    let baseline = recording.rollout_after(&state.cut).map(|rollout| {
        let mut run = Run::of_recording(&rollout);
        run.incomplete |= recording.incomplete;
        run
    });
    Restored { rollout: TraceId::random().to_string().into(), taken_as: T::NAME, error, baseline }
}

/// An agent of LangChain: its state's map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LangChainAgent(pub Option<AgentState>);

impl Restore for LangChainAgent {
    const NAME: &'static str = "langchain";

    fn restore(&mut self, state: &State) -> Result<(), RestoreError> {
        let (messages, steps) = shapes::langchain(&state.messages);
        let mut map = base(state, Self::NAME);
        // What the agent has kept of itself is its state, and what was recorded stands in for what it has not.
        for (name, value) in [
            ("messages", messages.into()),
            ("intermediate_steps", steps.into()),
            ("run_id", Value::from(&*state.scope.rollout)),
        ] {
            map.entry(name).or_insert(value);
        }
        self.0 = Some(AgentState::from_json(map.into())?);
        Ok(())
    }
}

/// A history of rig's: what `Vec<rig::completion::Message>` is read from.
#[derive(Clone, Default, PartialEq)]
pub struct RigHistory(pub Vec<Value>);

/// A history of genai's: what `Vec<genai::chat::ChatMessage>` is read from.
#[derive(Clone, Default, PartialEq)]
pub struct GenAiHistory(pub Vec<Value>);

macro_rules! history {
    ($($name:ident: $word:literal, $shape:path;)*) => {$(
        impl Restore for $name {
            const NAME: &'static str = $word;

            fn restore(&mut self, state: &State) -> Result<(), RestoreError> {
                self.0 = $shape(&state.messages);
                Ok(())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("messages", &self.0.len()).finish()
            }
        }
    )*};
}

history! {
    RigHistory: "rig", shapes::rig;
    GenAiHistory: "genai", shapes::genai;
}

/// Any other agent: the state as a map, with the messages of the GenAI conventions. The framework keeps its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GenericHistory(pub Option<AgentState>);

impl Restore for GenericHistory {
    const NAME: &'static str = "generic";

    fn restore(&mut self, state: &State) -> Result<(), RestoreError> {
        let mut map = base(state, state.framework.as_deref().unwrap_or("custom"));
        let data = map.entry("data").or_insert_with(|| Value::Object(Map::new()));
        // Of another type it is told as an error.
        if let Some(data) = data.as_object_mut() {
            data.entry("messages").or_insert_with(|| state.messages.clone().into());
            data.entry("system").or_insert_with(|| state.system.clone().into());
        }
        self.0 = Some(AgentState::from_json(map.into())?);
        Ok(())
    }
}

/// What an agent has kept of itself, where that is a map, and else all of it under one name; with what the checkpoint says.
fn base(state: &State, framework: &str) -> Map<String, Value> {
    let mut map = match state.agent_data() {
        Some(Value::Object(own)) => own.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        Some(other) => Map::from_iter([("agent_data".to_owned(), other)]),
        None => Map::new(),
    };
    map.insert("framework".to_owned(), framework.into());
    map.entry("label").or_insert_with(|| state.label.as_deref().unwrap_or_default().into());
    map
}
