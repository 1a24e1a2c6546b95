//! Runs that were recorded: OTLP JSON lines in files, as the `file` exporter writes them.
//!
//! Promises that nothing of a file is looked at before the policy has, that files which are no recordings, or too many or too
//! long to be read, are refused by name, and that a line which cannot be read costs that line alone. Reads a file once, line
//! by line; holds of a run what reduction holds of it.

mod error;
mod folder;
mod lines;

use crate::event::{Event, Veiled};
use crate::privacy::Policy;
use crate::processor::privacy::Privacy;
use crate::reduce::Facts;
use crate::replay::{Baselines, Run};

use super::config::ReplayConfig;
use error::Kind;

pub use error::RecordingsError;
pub(crate) use folder::Folder;
#[cfg(feature = "cli")]
pub(crate) use lines::{calls, otlp_lines, veiled};

/// The most bytes that are held of what is read.
const FACTS: usize = 512 << 20;

/// The baselines of a configuration, as they are under a policy.
pub(super) fn baselines(config: &ReplayConfig, policy: &Policy) -> Result<Baselines, RecordingsError> {
    let folder = Folder::at(&config.baselines);
    let mut facts = Facts::within(FACTS);
    let privacy = Privacy::new(policy.clone());
    folder.read(&privacy, None, |event: Event<Veiled>| {
        facts.absorb(&event);
    })?;
    if facts.refused() > 0 {
        return Err(folder.error(Kind::TooLong));
    }
    let runs: Vec<Run> = facts.derive().iter().map(Run::of_recording).collect();
    if runs.is_empty() {
        return Err(folder.error(Kind::NoRun));
    }
    let baselines = Baselines::new(runs);
    if let Some(place) = config.rules.iter().position(|rule| !baselines.contains(&rule.baseline)) {
        return Err(folder.error(Kind::Rule(place)));
    }
    tracing::info!(target: "veilspan", runs = baselines.len(), "baselines were read");
    Ok(baselines.with_rules(config.rules.iter().cloned()))
}
