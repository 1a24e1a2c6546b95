//! `veilspan restore`: the state of an agent at a cut.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::{Failure, input, output};
use crate::replay::{
    GenAiHistory, GenericHistory, Kept, LangChainAgent, Recording, Restored, RigHistory, State, restorable, restore,
};

/// Print the state of an agent at a cut, for it to go on from there.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A Codex bundle, a session, a folder of hook events, OTLP JSON lines, traces of Jaeger or Tempo, or
    /// `latest` for the newest bundle.
    input: PathBuf,
    /// Where: a checkpoint's id, `turn:` and a turn's id for its end, `<producer>=<number>` pairs joined by `;`, or an
    /// instant.
    #[arg(long, value_name = "CUT")]
    at: String,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// An object with the state, and under `state` as its framework keeps it.
    Json,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let recording = input::whole_recording(&arguments.input, &super::policy())?;
    let state = restorable(&recording, &arguments.at).map_err(|error| Failure::Usage(format!("--at: {error}")))?;
    if state.kept != Kept::Whole {
        let kept = state.kept.as_str();
        tracing::warn!(target: "veilspan", kept, "not all content was kept: the rest is restored as digests");
    }
    let (restored, kept) = taken(&recording, &state);
    if let Some(error) = &restored.error {
        tracing::warn!(target: "veilspan", %error, "the state is not printed as its framework keeps it");
    }
    let mut json = state.to_json();
    if let Some(map) = json.as_object_mut() {
        map.insert("state".to_owned(), kept);
        map.insert("taken_as".to_owned(), restored.taken_as.into());
        map.insert("new_rollout".to_owned(), (*restored.rollout).into());
    }
    json.sort_all_objects();
    let Format::Json = arguments.format;
    output::write(None, &format!("{json:#}\n"))
}

/// The state as its framework keeps it.
fn taken(recording: &Recording, state: &State) -> (Restored, Value) {
    match state.framework.as_deref() {
        Some("langchain") => {
            let mut target = LangChainAgent::default();
            (restore(recording, state, &mut target), target.0.map_or(Value::Null, |kept| kept.to_json()))
        }
        Some("rig") => {
            let mut target = RigHistory::default();
            (restore(recording, state, &mut target), target.0.into())
        }
        Some("genai") => {
            let mut target = GenAiHistory::default();
            (restore(recording, state, &mut target), target.0.into())
        }
        _ => {
            let mut target = GenericHistory::default();
            (restore(recording, state, &mut target), target.0.map_or(Value::Null, |kept| kept.to_json()))
        }
    }
}
