//! What was recorded.

use std::time::Instant;

use tonic::Status;

use super::Rollouts;
use crate::collector::recordings::Folder;
use crate::event::{Event, Veiled};
use crate::privacy::Policy;
use crate::processor::privacy::Privacy;
use crate::reduce::{Facts, Rollout, RolloutKey};
use crate::replay::Recording;

/// The most bytes that are held of what is read for one answer.
const FACTS: usize = 128 << 20;
/// The most events of a rollout that is restored.
const EVENTS: usize = 250_000;

impl Rollouts {
    /// The graphs of all that was recorded, or of one rollout.
    pub(super) fn recorded(&self, only: Option<&RolloutKey>, deadline: Instant) -> Result<Vec<Rollout>, Status> {
        let Some(folder) = &self.recordings else { return Ok(Vec::new()) };
        let mut facts = Facts::within(FACTS);
        self.read(folder, deadline, |event| {
            if only.is_none_or(|only| *only == RolloutKey::of(&event.scope)) {
                facts.absorb(&event);
            }
        })?;
        if facts.refused() > 0 {
            return Err(Status::resource_exhausted("more was recorded than can be looked at at once"));
        }
        Ok(facts.derive())
    }

    /// What was recorded of one rollout; nothing where it was not.
    pub(super) fn recording(&self, key: &RolloutKey, deadline: Instant) -> Result<Option<Recording>, Status> {
        let Some(folder) = &self.recordings else { return Ok(None) };
        let (mut events, mut is_whole) = (Vec::new(), true);
        self.read(folder, deadline, |event| {
            if *key == RolloutKey::of(&event.scope) {
                is_whole &= events.len() < EVENTS;
                if is_whole {
                    events.push(event);
                }
            }
        })?;
        if !is_whole {
            return Err(Status::resource_exhausted("the rollout is longer than what can be restored here"));
        }
        Ok(Recording::new(events).ok().map(|recording| recording.read_under(&self.policy())))
    }

    fn read(&self, folder: &Folder, deadline: Instant, take: impl FnMut(Event<Veiled>)) -> Result<(), Status> {
        // The policy that holds now: what was recorded under another one is veiled again.
        let privacy = Privacy::new(self.policy());
        match folder.read(&privacy, Some(deadline), take) {
            Ok(_) => Ok(()),
            Err(error) if error.is_timeout() => {
                Err(Status::deadline_exceeded("the recordings are too long to be read in time"))
            }
            Err(error) => {
                tracing::warn!(target: "veilspan", %error, "recordings cannot be read");
                Err(Status::failed_precondition("the recordings cannot be read; the stage's log says why"))
            }
        }
    }

    fn policy(&self) -> Policy {
        let privacy = self.pipelines.iter().find_map(|pipeline| pipeline.privacy.as_ref());
        privacy.map_or_else(Policy::from_env, Privacy::policy)
    }
}
