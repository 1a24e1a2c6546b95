//! What happens between a receiver and an exporter.

use std::fmt;

use super::error::ConfigError;
use super::exporter::{self, Exporter, ExporterKind};
use super::receiver::Receiver;
use super::section::{Section, type_of};

const RECEIVERS: &[&str] = &["otlp"];
const PROCESSORS: &[&str] = &["privacy", "reduce"];

/// A pipeline of traces.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pipeline {
    /// Its name: `traces`, `traces/second`.
    pub name: String,
    /// Where its requests come from: each receiver belongs to one pipeline.
    pub receivers: Vec<Receiver>,
    /// What happens to them, in order.
    pub processors: Vec<Processor>,
    /// Where they go, all of them; nowhere if there are none.
    pub exporters: Vec<Exporter>,
}

/// A step of a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Processor {
    /// The privacy policy of this process' environment.
    Privacy,
    /// Reduction: adds turns that nobody reported, and summaries.
    Reduce,
}

impl fmt::Display for Processor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Privacy => "privacy",
            Self::Reduce => "reduce",
        })
    }
}

impl Pipeline {
    pub(super) fn read(root: &Section<'_>, all: &Section<'_>, name: &str) -> Result<Self, ConfigError> {
        let section = all.required(name, &["receivers", "processors", "exporters", "privacy"])?;
        let receivers = defined(root, &section, "receivers", RECEIVERS, |name, all| {
            Receiver::read(name, &all.section(name, &["protocols"])?)
        })?;
        let exporters = defined(root, &section, "exporters", exporter::TYPES, Exporter::read)?;
        for (key, is_empty) in [("receivers", receivers.is_empty()), ("exporters", exporters.is_empty())] {
            if is_empty {
                return Err(section.wrong_at(key, "expected at least one name"));
            }
        }
        let processors = defined(root, &section, "processors", PROCESSORS, |name, all| {
            all.section(name, &[])?;
            Ok(if type_of(name, PROCESSORS) == Some("privacy") { Processor::Privacy } else { Processor::Reduce })
        })?;
        let processors = in_order(&section, processors)?;
        let stores = |exporter: &Exporter| matches!(exporter.kind, ExporterKind::File(_));
        if !processors.contains(&Processor::Privacy) && exporters.iter().any(stores) {
            let problem = "a `file` exporter stores what it gets, so its pipeline cannot say `privacy: off`";
            return Err(section.wrong_at("exporters", problem));
        }
        Ok(Self { name: name.to_owned(), receivers, processors, exporters })
    }
}

/// What is named in a pipeline, read from where it is defined.
fn defined<'a, T>(
    root: &Section<'a>,
    pipeline: &Section<'a>,
    key: &str,
    types: &[&str],
    read: impl Fn(&str, &Section<'a>) -> Result<T, ConfigError>,
) -> Result<Vec<T>, ConfigError> {
    let all = root.named(key, types)?;
    let one = |name: &str| {
        if !all.has(name) {
            return Err(pipeline.wrong_at(key, format!("`{name}` is not defined under `{key}`")));
        }
        read(name, &all)
    };
    pipeline.names(key, types)?.into_iter().map(one).collect()
}

/// `privacy` comes first, and is put there where the pipeline does not say `privacy: off`.
fn in_order(section: &Section<'_>, mut processors: Vec<Processor>) -> Result<Vec<Processor>, ConfigError> {
    let wrong = |problem: &str| Err(section.wrong_at("processors", problem));
    let twice = |one: &Processor| processors.iter().filter(|other| *other == one).count() > 1;
    if let Some(processor) = processors.iter().copied().find(twice) {
        return wrong(&format!("there are two of type `{processor}`"));
    }
    let off = section.switched_off("privacy")?;
    match (off, processors.iter().position(|processor| *processor == Processor::Privacy)) {
        (true, None) | (false, Some(0)) => {}
        (false, None) => processors.insert(0, Processor::Privacy),
        (true, Some(_)) => return wrong("`privacy` stands there although the pipeline says `privacy: off`"),
        (false, Some(_)) => return wrong("`privacy` must come first"),
    }
    Ok(processors)
}
