//! Which runs are held against which.

use std::path::PathBuf;

use super::error::ConfigError;
use super::section::Section;
use crate::replay::BaselineRule;
use crate::semconv::{Class, Name, Phase, Type, lookup};

/// Where baselines come from, and whose they are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplayConfig {
    /// A file of OTLP JSON lines, as `file` exporters write them, or a folder of such files (`.jsonl`, `.json`). It is read when
    /// the stage starts, under its policy.
    pub baselines: PathBuf,
    /// Runs that do not name their baseline by `veilspan.replay.of`; the first that fits counts.
    pub rules: Vec<BaselineRule>,
}

impl ReplayConfig {
    pub(super) const KEYS: &[&str] = &["baselines", "rules"];

    /// These recordings, for runs that name their baseline.
    pub const fn new(baselines: PathBuf) -> Self {
        Self { baselines, rules: Vec::new() }
    }

    pub(super) fn read(section: &Section<'_>) -> Result<Self, ConfigError> {
        let baselines = section.path("baselines")?.ok_or_else(|| section.wrong_at("baselines", "missing"))?;
        let rules = section.sections("rules", &["attribute", "value", "baseline"])?;
        let rules = rules.iter().map(rule).collect::<Result<_, _>>()?;
        Ok(Self { baselines, rules })
    }
}

fn rule(section: &Section<'_>) -> Result<BaselineRule, ConfigError> {
    const LABEL: &str = "expected the name of a label, such as `gen_ai.agent.name`";
    const TEXT: &str = "expected a text that is not empty";
    let text = section.required_text("attribute", LABEL)?;
    // What is no label has left as a digest by then, or not at all.
    let is_label = |name: &Name| name.kind == Type::Text && name.class == Class::Label && name.phase == Phase::Opened;
    let known = lookup(text).filter(|key| is_label(key.name()));
    let key = known.ok_or_else(|| section.wrong_at("attribute", LABEL))?;
    let label = |key: &str| match section.required_text(key, TEXT)? {
        "" => Err(section.wrong_at(key, TEXT)),
        text => Ok(text.into()),
    };
    Ok(BaselineRule { key, value: label("value")?, baseline: label("baseline")? })
}
