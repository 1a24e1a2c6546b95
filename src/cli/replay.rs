//! `veilspan replay`: what a run did after a cut, told again as a run of its own. Nothing is done again.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::Args;

use super::outlet::{Outlet, To};
use super::{Failure, input};
use crate::event::{CallKind, CallRecord, Key, Kind, Scope, Veiled};
use crate::import::Records;
use crate::otlp::encode;
use crate::replay::{Cut, Recording, ReplayOptions, replay, retold};

/// Tell what a run did after a cut again, as spans of a run of its own. No tool is run, and no model is asked.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A Codex bundle, a session, a folder of hook events, OTLP JSON lines, traces of Jaeger or Tempo, or
    /// `latest` for the newest bundle.
    input: PathBuf,
    /// Where to send the spans. Without it they are printed as OTLP JSON lines.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// From where on: a checkpoint's id, `turn:` and a turn's id for its end, `<producer>=<number>` pairs joined by `;`, or
    /// an instant. Without it all of the run is told.
    #[arg(long, value_name = "CUT")]
    from: Option<String>,
    /// Leave out what matters less, from 0 to 1.
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    min_importance: f64,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if !(0.0..=1.0).contains(&arguments.min_importance) {
        return Err(Failure::Usage("--min-importance: it is from 0 to 1".to_owned()));
    }
    let mut outlet = Outlet::open(&To::or_stdout(arguments.endpoint.clone()))?;
    let recording = input::recording(&arguments.input, &super::policy())?;
    let checkpoint = arguments.from.as_deref().and_then(|from| recording.checkpoint(from));
    let cut = match (&checkpoint, &arguments.from) {
        (Some(checkpoint), _) => checkpoint.cut.clone().ok_or_else(|| {
            Failure::Usage("--from: nothing orders the checkpoint, so nothing can be told to come after it".to_owned())
        })?,
        (None, Some(from)) => Cut::parse(from).map_err(|error| Failure::Usage(format!("--from: {error}")))?,
        (None, None) => Cut { time_unix_nano: Some(0), ..Cut::default() },
    };
    let options = ReplayOptions { min_importance: arguments.min_importance, ..ReplayOptions::default() };
    let replayed = replay(&recording, &cut, &options, |_| true);
    let begun = |event: &&crate::event::Event<Veiled>| matches!(event.kind, Kind::Opened(..));
    let keys: HashSet<(&Scope, Key)> =
        replayed.events.iter().filter(begun).map(|event| (&*event.scope, event.key)).collect();
    let calls = calls(&recording, &keys);
    let (unordered, unimportant, incomplete) = (replayed.unordered, replayed.unimportant, replayed.incomplete);
    if unordered > 0 || incomplete {
        tracing::warn!(target: "veilspan", unordered, incomplete, "not all of the run could be told");
    }
    let count = calls.len();
    tracing::info!(target: "veilspan", calls = count, unimportant, "told again");
    let (calls, producer) = retold(calls, checkpoint.as_ref().map(|checkpoint| &checkpoint.id));
    let resource = encode::resource([("service.name", "veilspan-replay")], Some(producer));
    outlet.take(resource, &mut calls.into_iter())?.whole().map(drop)
}

/// These calls whole, and the turns that they are part of.
fn calls(recording: &Recording, keys: &HashSet<(&Scope, Key)>) -> Vec<CallRecord<Veiled>> {
    let turns: HashSet<_> = keys.iter().map(|(scope, _)| (&scope.thread, &scope.turn)).collect();
    let is_told = |event: &&crate::event::Event<Veiled>| {
        let of_turn = event.key.kind == CallKind::Turn && turns.contains(&(&event.scope.thread, &event.scope.turn));
        of_turn || keys.contains(&(&*event.scope, event.key))
    };
    Records::new(recording.events().iter().filter(is_told).cloned()).collect()
}
