//! The stage's configuration: YAML shaped like the Collector's.
//!
//! ```yaml
//! receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:14317" } } } }
//! processors: { privacy: {}, reduce: {} }
//! exporters: { otlp: { endpoint: "http://127.0.0.1:24317" } }
//! service: { pipelines: { traces: { receivers: [otlp], processors: [privacy, reduce], exporters: [otlp] } } }
//! ```
//!
//! `${env:NAME}` and `${env:NAME:-default}` stand for environment variables in any text, and `$${` for `${`. Errors name the
//! line, the place and what is allowed there, never a value. What is not used is checked all the same.

mod document;
mod error;
#[cfg(test)]
mod error_tests;
mod exporter;
mod pipeline;
mod receiver;
mod replay;
mod rollouts;
mod section;
mod substitute;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use section::Section;

pub use error::ConfigError;
pub use exporter::{Exporter, ExporterKind, FileConfig};
pub use pipeline::{InputLogConfig, Pipeline, Processor};
pub use receiver::{Listen, Receiver, ServerTls, Token};
pub use replay::ReplayConfig;
pub use rollouts::RolloutsConfig;
pub use substitute::Variables;

/// What a stage does with the spans that come in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Its pipelines.
    pub pipelines: Vec<Pipeline>,
    /// Where `/metrics` and `/healthz` are served; nowhere if missing.
    pub telemetry: Option<SocketAddr>,
    /// Whether programs may ask what is known of rollouts; they may not if missing.
    pub rollouts: Option<RolloutsConfig>,
}

impl Default for Config {
    /// From OTLP's own port of this machine to `http://127.0.0.1:14317`.
    fn default() -> Self {
        Self::between(SocketAddr::from(([127, 0, 0, 1], 4317)), Some("http://127.0.0.1:14317"))
    }
}

impl Config {
    /// One pipeline of `privacy` and `reduce`, gRPC on both sides: to the next hop at `http://host:port`, or to nowhere.
    pub fn between(listen: SocketAddr, next: Option<&str>) -> Self {
        let receiver = Receiver { name: "otlp".to_owned(), grpc: Some(Listen::at(listen)), http: None };
        let pipeline = Pipeline {
            name: "traces".to_owned(),
            receivers: vec![receiver],
            processors: vec![Processor::Privacy, Processor::Reduce],
            veils_all_spans: false,
            exporters: next.map(Exporter::grpc).into_iter().collect(),
            findings: Vec::new(),
            replay: None,
            input_log: None,
        };
        Self { pipelines: vec![pipeline], telemetry: None, rollouts: None }
    }

    /// The same with these processors in each pipeline.
    #[must_use]
    pub fn with_processors(mut self, processors: &[Processor]) -> Self {
        self.pipelines.iter_mut().for_each(|pipeline| pipeline.processors = processors.to_vec());
        self
    }

    /// The configuration in a YAML text.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: the first thing that is wrong with it.
    pub fn from_yaml(yaml: &str, variables: Variables<'_>) -> Result<Self, ConfigError> {
        let mut document = document::parse(yaml)?;
        substitute::all(&mut document, variables)?;
        let root = Section::root(&document, &["receivers", "processors", "exporters", "service"])?;
        let service = root.required("service", &["pipelines", "telemetry", "rollouts"])?;
        let all = service.named("pipelines", &["traces"])?;
        if all.is_empty() {
            return Err(service.wrong_at("pipelines", "expected at least one pipeline, `traces`"));
        }
        let pipelines: Vec<Pipeline> =
            all.keys().map(|name| Pipeline::read(&root, &all, name)).collect::<Result<_, _>>()?;
        let telemetry = telemetry(&service)?;
        let rollouts = RolloutsConfig::read(&service)?;
        pipeline::check_unused(&root, &pipelines)?;
        let config = Self { pipelines, telemetry, rollouts };
        config.check().map_err(|error| error.found_in(&document))?;
        Ok(config)
    }

    /// Refuses what would expose raw content, and what cannot be: two that take the same address, or write the same file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: the first thing that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |place: &str, problem: &str| Err(ConfigError::new(None, place, problem));
        let (mut receivers, mut addresses, mut files) = (Vec::new(), Vec::new(), Vec::new());
        for pipeline in &self.pipelines {
            if pipeline.processors.iter().skip(1).any(|processor| *processor == Processor::Privacy) {
                return wrong(&format!("service.pipelines.{}.processors", pipeline.name), "`privacy` must come first");
            }
            for receiver in &pipeline.receivers {
                let place = format!("receivers.{}", receiver.name);
                if receivers.contains(&&receiver.name) {
                    return wrong(&place, "stands in two pipelines; each needs receivers of its own");
                }
                receivers.push(&receiver.name);
                for listen in receiver.grpc.iter().chain(&receiver.http) {
                    if let Some(problem) = listen.problem() {
                        return wrong(&place, problem);
                    }
                    addresses.push((place.clone(), listen.address));
                }
            }
            if pipeline.processors.contains(&Processor::Replay) && pipeline.replay.is_none() {
                let place = format!("service.pipelines.{}.processors", pipeline.name);
                return wrong(&place, "`replay` needs to know its baselines");
            }
            if let Some(log) = &pipeline.input_log {
                let place = format!("service.pipelines.{}.input_log", pipeline.name);
                let needed = [Processor::Privacy, Processor::Reduce];
                if !needed.iter().all(|processor| pipeline.processors.contains(processor)) {
                    return wrong(&place, "it needs `privacy` and `reduce`");
                }
                if files.contains(&&log.directory) {
                    return wrong(&place, "another pipeline has its log in this folder");
                }
                files.push(&log.directory);
            }
            let is_veiled = pipeline.processors.contains(&Processor::Privacy);
            for exporter in &pipeline.exporters {
                let ExporterKind::File(file) = &exporter.kind else { continue };
                let place = format!("exporters.{}", exporter.name);
                if !is_veiled {
                    return wrong(&place, "it stores what it gets, so its pipeline cannot do without `privacy`");
                }
                if files.contains(&&file.path) {
                    return wrong(&place, "two pipelines or exporters would write the same file");
                }
                files.push(&file.path);
            }
        }
        if let Some(rollouts) = &self.rollouts {
            let place = RolloutsConfig::place();
            if self.pipelines.iter().any(|pipeline| !pipeline.processors.contains(&Processor::Privacy)) {
                return wrong(place, "it shows what passes, so no pipeline can do without `privacy`");
            }
            if let Some(problem) = rollouts.listen.problem() {
                return wrong(place, problem);
            }
            addresses.push((place.to_owned(), rollouts.listen.address));
        }
        addresses.extend(self.telemetry.map(|address| ("service.telemetry.metrics".to_owned(), address)));
        for (place, (name, address)) in addresses.iter().enumerate() {
            let taken = addresses.iter().take(place).find(|(_, other)| other == address && other.port() != 0);
            if let Some((other, _)) = taken {
                return wrong(name, &format!("`{other}` listens on this address already"));
            }
        }
        Ok(())
    }
}

fn telemetry(service: &Section<'_>) -> Result<Option<SocketAddr>, ConfigError> {
    let telemetry = service.section("telemetry", &["metrics"])?;
    if !telemetry.has("metrics") {
        return Ok(None);
    }
    let metrics = telemetry.section("metrics", &["address", "insecure"])?;
    let address = metrics.address("address")?;
    if address.ip().is_loopback() || metrics.flag("insecure")? {
        return Ok(Some(address));
    }
    let problem = "not a loopback address: it has neither TLS nor a credential; `insecure: true` listens all the same";
    Err(metrics.wrong_at("address", problem))
}
