//! What happens between a receiver and an exporter.

use std::fmt;
use std::mem::discriminant;
use std::path::PathBuf;

use super::error::ConfigError;
use super::exporter::{self, Exporter, ExporterKind};
use super::receiver::Receiver;
use super::replay::ReplayConfig;
use super::section::{Section, type_of};
use crate::export::Fsync;
use crate::processor::dialect::{DialectOptions, Originals, Stamp};

const RECEIVERS: &[&str] = &["otlp"];
const PROCESSORS: &[&str] = &["privacy", "dialect", "reduce", "replay"];

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
    /// Whether `privacy` gives the whole policy to all spans. Else GenAI spans get it, and the others the detectors on their
    /// texts.
    pub veils_all_spans: bool,
    /// Where they go, all of them; nowhere if there are none.
    pub exporters: Vec<Exporter>,
    /// Where findings go as log records, beside the span events that tell them; nowhere if there are none.
    pub findings: Vec<Exporter>,
    /// Which runs are held against which, where `replay` is a step.
    pub replay: Option<ReplayConfig>,
    /// Where what reduction has taken in is kept until it is told.
    pub input_log: Option<InputLogConfig>,
}

/// A log of what reduction has taken in: with it a stage that is killed reduces as if it had not died.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InputLogConfig {
    /// A folder of this user's alone (mode 0700), which is made where its parent is there.
    pub directory: PathBuf,
    /// The most bytes it takes; beyond them requests are refused with a time to come again.
    pub max_bytes: u64,
    /// Whether what is written is also synced.
    pub fsync: Fsync,
}

impl InputLogConfig {
    /// One in this folder, with at most 1 GiB.
    pub const fn new(directory: PathBuf) -> Self {
        Self { directory, max_bytes: 1 << 30, fsync: Fsync::Os }
    }
}

/// A step of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Processor {
    /// The privacy policy of this process' environment.
    Privacy,
    /// Other dialects under the conventions' names.
    Dialect(DialectOptions),
    /// Reduction: adds turns that nobody reported, and summaries.
    Reduce,
    /// Comparison of runs with their baselines: adds what they do otherwise.
    Replay,
}

impl Processor {
    /// Whether it has findings to tell.
    const fn finds(&self) -> bool {
        matches!(self, Self::Reduce | Self::Replay)
    }
}

impl fmt::Display for Processor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Privacy => "privacy",
            Self::Dialect(_) => "dialect",
            Self::Reduce => "reduce",
            Self::Replay => "replay",
        })
    }
}

impl Pipeline {
    pub(super) fn read(root: &Section<'_>, all: &Section<'_>, name: &str) -> Result<Self, ConfigError> {
        let section =
            all.required(name, &["receivers", "processors", "exporters", "findings", "privacy", "input_log"])?;
        let receivers = defined(root, &section, "receivers", RECEIVERS, receiver)?;
        let exporters = defined(root, &section, "exporters", exporter::TYPES, Exporter::read)?;
        for (key, is_empty) in [("receivers", receivers.is_empty()), ("exporters", exporters.is_empty())] {
            if is_empty {
                return Err(section.wrong_at(key, "expected at least one name"));
            }
        }
        let findings =
            defined_under(root, &section, "findings", "exporters", exporter::TYPES, Exporter::read_for_logs)?;
        let (mut replay, mut veils_all_spans) = (None, false);
        let processors = defined(root, &section, "processors", PROCESSORS, |name, all| {
            processor(name, all, &mut replay, &mut veils_all_spans)
        })?;
        let processors = in_order(&section, processors)?;
        let stores = |exporter: &Exporter| matches!(exporter.kind, ExporterKind::File(_));
        if !processors.contains(&Processor::Privacy) && exporters.iter().any(stores) {
            let problem = "a `file` exporter stores what it gets, so its pipeline cannot say `privacy: off`";
            return Err(section.wrong_at("exporters", problem));
        }
        let input_log = input_log(&section, &processors)?;
        if !findings.is_empty() && !processors.iter().any(|processor| processor.finds()) {
            return Err(section.wrong_at("findings", "neither `reduce` nor `replay` stands in the pipeline"));
        }
        let name = name.to_owned();
        Ok(Self { name, receivers, processors, veils_all_spans, exporters, findings, replay, input_log })
    }
}

/// What is defined and stands in no pipeline may be wrong, too: somebody means to use it.
pub(super) fn check_unused(root: &Section<'_>, pipelines: &[Pipeline]) -> Result<(), ConfigError> {
    let is_receiver = |name: &str| pipelines.iter().flat_map(|it| &it.receivers).any(|receiver| receiver.name == name);
    let all = root.named("receivers", RECEIVERS)?;
    for name in all.keys().filter(|name| !is_receiver(name)) {
        receiver(name, &all)?;
    }
    let exporters = || pipelines.iter().flat_map(|pipeline| pipeline.exporters.iter().chain(&pipeline.findings));
    let all = root.named("exporters", exporter::TYPES)?;
    for name in all.keys().filter(|name| !exporters().any(|exporter| exporter.name == *name)) {
        Exporter::read_unused(name, &all)?;
    }
    let all = root.named("processors", PROCESSORS)?;
    all.keys().try_for_each(|name| processor(name, &all, &mut None, &mut false).map(drop))
}

fn receiver(name: &str, all: &Section<'_>) -> Result<Receiver, ConfigError> {
    Receiver::read(name, &all.section(name, &["protocols"])?)
}

fn input_log(pipeline: &Section<'_>, processors: &[Processor]) -> Result<Option<InputLogConfig>, ConfigError> {
    if !pipeline.has("input_log") {
        return Ok(None);
    }
    let section = pipeline.section("input_log", &["directory", "max_mib", "fsync"])?;
    if !processors.contains(&Processor::Privacy) || !processors.contains(&Processor::Reduce) {
        return Err(
            section.wrong("it keeps what `reduce` takes in, behind `privacy`: both have to stand in the pipeline")
        );
    }
    let directory = section.path("directory")?.ok_or_else(|| section.wrong_at("directory", "missing"))?;
    let mib = section.number("max_mib", 16, 1 << 20)?.unwrap_or(1024);
    let fsync = section.word("fsync", &["os", "interval", "always"])?.and_then(Fsync::from_word).unwrap_or_default();
    Ok(Some(InputLogConfig { directory, max_bytes: mib << 20, fsync }))
}

fn processor(
    name: &str,
    all: &Section<'_>,
    replay: &mut Option<ReplayConfig>,
    veils_all_spans: &mut bool,
) -> Result<Processor, ConfigError> {
    let processor = match type_of(name, PROCESSORS) {
        Some("dialect") => {
            return dialect(&all.section(name, &["originals", "stamp"])?).map(Processor::Dialect);
        }
        Some("replay") => {
            *replay = Some(ReplayConfig::read(&all.section(name, ReplayConfig::KEYS)?)?);
            return Ok(Processor::Replay);
        }
        Some("privacy") => {
            *veils_all_spans = all.section(name, &["spans"])?.word("spans", &["genai", "all"])? == Some("all");
            return Ok(Processor::Privacy);
        }
        _ => Processor::Reduce,
    };
    all.section(name, &[])?;
    Ok(processor)
}

fn dialect(section: &Section<'_>) -> Result<DialectOptions, ConfigError> {
    let mut options = DialectOptions::default();
    if section.word("originals", &["drop", "keep"])? == Some("keep") {
        options = options.originals(Originals::Keep);
    }
    if section.has("stamp") {
        let stamp = section.section("stamp", &["attributes"])?;
        let attributes = stamp.labels("attributes")?;
        options = options.stamp(attributes.map_or_else(Stamp::default, |attributes| Stamp { attributes }));
    }
    Ok(options)
}

/// What is named in a pipeline, read from where it is defined.
fn defined<'a, T>(
    root: &Section<'a>,
    pipeline: &Section<'a>,
    key: &str,
    types: &[&str],
    read: impl FnMut(&str, &Section<'a>) -> Result<T, ConfigError>,
) -> Result<Vec<T>, ConfigError> {
    defined_under(root, pipeline, key, key, types, read)
}

/// The same where it is defined under another name than it is used by.
fn defined_under<'a, T>(
    root: &Section<'a>,
    pipeline: &Section<'a>,
    key: &str,
    under: &str,
    types: &[&str],
    mut read: impl FnMut(&str, &Section<'a>) -> Result<T, ConfigError>,
) -> Result<Vec<T>, ConfigError> {
    let all = root.named(under, types)?;
    let one = |name: &str| {
        if !all.has(name) {
            return Err(pipeline.wrong_at(key, format!("`{name}` is not defined under `{under}`")));
        }
        read(name, &all)
    };
    pipeline.names(key, types)?.into_iter().map(one).collect()
}

/// `privacy` comes first, and is put there where the pipeline does not say `privacy: off`.
fn in_order(section: &Section<'_>, mut processors: Vec<Processor>) -> Result<Vec<Processor>, ConfigError> {
    let wrong = |problem: &str| Err(section.wrong_at("processors", problem));
    let twice =
        |one: &&Processor| processors.iter().filter(|other| discriminant(*other) == discriminant(*one)).count() > 1;
    if let Some(processor) = processors.iter().find(twice) {
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
