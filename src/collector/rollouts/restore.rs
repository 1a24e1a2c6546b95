//! The state of a rollout at a cut.

use std::time::Instant;

use bytestring::ByteString;
use serde_json::{Value, json};
use tonic::Status;

use super::Rollouts;
use super::answer::{DIFFERENCES, drift, without_nulls};
use super::ask::{Ask, Source};
use crate::reduce::{Rollout, RolloutKey};
use crate::replay::{Recording, ReplayOptions, RestoreRefused, Run, State, Verdict, diff, replay, restorable};
use crate::semconv::REPLAY_OF;

impl Rollouts {
    pub(super) fn restore(&self, ask: &Ask, deadline: Instant) -> Result<Value, Status> {
        let key = ask.rollout("rollout")?;
        let at = ask.text("at").ok_or_else(|| Status::invalid_argument("`at` is missing"))?;
        let (recording, source) = self.held(&key, ask, deadline)?;
        let state = restorable(&recording, at).map_err(|refused| match refused {
            RestoreRefused::Cut(_) => Status::invalid_argument("`at` is no checkpoint of the rollout, and no cut"),
            RestoreRefused::Unordered | RestoreRefused::Empty => Status::failed_precondition(refused.to_string()),
        })?;
        let replayed = ask.flag("replay_events").then(|| {
            let replayed = replay(&recording, &state.cut, &ReplayOptions::default(), |_| true);
            replayed.events.len()
        });
        let drift = if ask.flag("track_drift") {
            let graph = recording.rollout().ok_or_else(|| Status::not_found("there is no such rollout"))?;
            let named = ask.text("baseline").map(ByteString::from).or_else(|| names_its_baseline(&graph));
            let baseline = match named {
                Some(rollout) => self.run(&RolloutKey { rollout, ..key }, ask, deadline)?,
                None => None,
            };
            // What is still watched may go on.
            let candidate = if source == Source::Live { Run::of(&graph) } else { Run::of_recording(&graph) };
            Some(match baseline {
                Some(baseline) => drift(&diff(&baseline, &candidate), 0, DIFFERENCES),
                // Nothing to hold it against is not the same as no drift.
                None => json!({"verdict": Verdict::Inconclusive.as_str(), "unsure": ["no-baseline"]}),
            })
        } else {
            None
        };
        let detected = drift.as_ref().map(|drift| drift.get("verdict") == Some(&json!(Verdict::Drift.as_str())));
        Ok(without_nulls(json!({
            "state": restored(&state), "replayed_events_count": replayed, "drift_detected": detected, "drift": drift,
            "source": source.as_str(),
        })))
    }

    /// A rollout, recorded before live where nobody says which: what is held live has no content.
    fn held(&self, key: &RolloutKey, ask: &Ask, deadline: Instant) -> Result<(Recording, Source), Status> {
        let source = ask.source()?;
        if source != Some(Source::Live)
            && let Some(recording) = self.recording(key, deadline)?
        {
            return Ok((recording, Source::Recorded));
        }
        let facts = if source == Some(Source::Recorded) { Vec::new() } else { self.live_all(key) };
        // The parts of a rollout that went on after it had closed are one run.
        let recording = Recording::new(facts.iter().flat_map(|facts| facts.events()));
        Ok((recording.map_err(|_| Status::not_found("there is no such rollout"))?, Source::Live))
    }
}

fn names_its_baseline(graph: &Rollout) -> Option<ByteString> {
    let segments = graph.turns().flat_map(|(_, turn)| &turn.segments).filter_map(|segment| segment.call.as_ref());
    let calls = graph.turns().flat_map(|(_, turn)| turn.calls());
    segments.chain(calls).find_map(|call| call.attrs.get(REPLAY_OF))
}

/// The state, what is JSON in it as texts.
fn restored(state: &State) -> Value {
    let mut json = state.to_json();
    let as_text = |value: &mut Value| *value = Value::String(value.to_string());
    if let Some(messages) = json.get_mut("messages").and_then(Value::as_array_mut) {
        messages.iter_mut().for_each(as_text);
    }
    json.get_mut("system").filter(|system| !system.is_null()).map(as_text);
    json.pointer_mut("/data/value").map(as_text);
    json
}
