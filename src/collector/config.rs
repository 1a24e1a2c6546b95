//! The stage's configuration: YAML shaped like the Collector's.
//!
//! ```yaml
//! receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:14317" } } } }
//! processors: { privacy: {}, reduce: {} }
//! exporters: { otlp: { endpoint: "http://127.0.0.1:24317" } }
//! service: { pipelines: { traces: { receivers: [otlp], processors: [privacy, reduce], exporters: [otlp] } } }
//! ```
//!
//! `${env:NAME}` and `${env:NAME:-default}` stand for environment variables in any text. Errors name the place and what is
//! allowed there, never a value.

use std::net::SocketAddr;

use serde_json::{Map, Value};

use super::substitute::{self, Variables};

/// What a pipeline does with the spans that come in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Where OTLP gRPC is taken.
    pub listen: SocketAddr,
    /// Where spans go, as `http://host:port`; nowhere if missing.
    pub export: Option<String>,
    /// What happens between, in order.
    pub processors: Vec<Processor>,
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

/// A configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConfigError {
    place: String,
    problem: String,
}

impl ConfigError {
    fn new(place: &str, problem: impl Into<String>) -> Self {
        Self { place: place.to_owned(), problem: problem.into() }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 4317)),
            export: Some("http://127.0.0.1:14317".to_owned()),
            processors: vec![Processor::Privacy, Processor::Reduce],
        }
    }
}

const RECEIVERS: &[&str] = &["otlp"];
const PROCESSORS: &[&str] = &["privacy", "reduce"];
const EXPORTERS: &[&str] = &["otlp"];

impl Config {
    /// The configuration in a YAML text.
    pub fn from_yaml(yaml: &str, variables: Variables<'_>) -> Result<Self, ConfigError> {
        let mut document: Value = serde_saphyr::from_str(yaml)
            .map_err(|_| ConfigError::new("the file", "not YAML; indent with blanks and quote addresses"))?;
        substitute::all(&mut document, variables).map_err(|name| unset_variable(&name))?;
        let root = Section::root(&document, &["receivers", "processors", "exporters", "service"])?;
        let pipelines = root.section("service", &["pipelines"])?.section("pipelines", &["traces"])?;
        let pipeline = pipelines.section("traces", &["receivers", "processors", "exporters", "privacy"])?;

        let receiver = one(&pipeline.names("receivers", RECEIVERS)?, "service.pipelines.traces.receivers")?;
        let grpc = root.section("receivers", RECEIVERS)?.section(receiver, &["protocols"])?;
        let grpc = grpc.section("protocols", &["grpc"])?.section("grpc", &["endpoint"])?;
        let listen = grpc.text("endpoint")?.parse();
        let listen = listen
            .map_err(|_| ConfigError::new(&grpc.place_of("endpoint"), "expected an address such as 127.0.0.1:4317"))?;

        let exporter = one(&pipeline.names("exporters", EXPORTERS)?, "service.pipelines.traces.exporters")?;
        let export = root.section("exporters", EXPORTERS)?.section(exporter, &["endpoint"])?.text("endpoint")?;
        let processors = Self::processors(&root, &pipeline)?;
        let config = Self { listen, export: Some(export.to_owned()), processors };
        config.check()?;
        Ok(config)
    }

    /// `privacy` comes first, and is put there where the pipeline does not say `privacy: off`.
    fn processors(root: &Section<'_>, pipeline: &Section<'_>) -> Result<Vec<Processor>, ConfigError> {
        const PLACE: &str = "service.pipelines.traces.processors";
        let mut processors = Vec::new();
        for name in pipeline.names("processors", PROCESSORS)? {
            if root.get("processors").is_none_or(|defined| defined.get(name).is_none()) {
                return Err(ConfigError::new(PLACE, format!("`{name}` is not defined under `processors`")));
            }
            root.section("processors", PROCESSORS)?.section(name, &[])?;
            let processor = if name == "privacy" { Processor::Privacy } else { Processor::Reduce };
            if processors.contains(&processor) {
                return Err(ConfigError::new(PLACE, format!("`{name}` stands there twice")));
            }
            processors.push(processor);
        }
        let off = pipeline.switched_off("privacy")?;
        match (off, processors.iter().position(|processor| *processor == Processor::Privacy)) {
            (true, None) | (false, Some(0)) => {}
            (false, None) => processors.insert(0, Processor::Privacy),
            (true, Some(_)) => {
                return Err(ConfigError::new(
                    PLACE,
                    "`privacy` stands there although the pipeline says `privacy: off`",
                ));
            }
            (false, Some(_)) => return Err(ConfigError::new(PLACE, "`privacy` must come first")),
        }
        Ok(processors)
    }

    /// Refuses what would expose raw content: this version has neither TLS nor credentials for its listener.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !self.listen.ip().is_loopback() {
            let problem = "not a loopback address; this version listens on 127.0.0.1 or ::1 alone";
            return Err(ConfigError::new("receivers.otlp.protocols.grpc.endpoint", problem));
        }
        Ok(())
    }
}

/// A name is repeated only where it looks like one: what stands between the braces may be anything.
fn unset_variable(name: &str) -> ConfigError {
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let place = if is_name && !name.starts_with(|first: char| first.is_ascii_digit()) { name } else { "a variable" };
    ConfigError::new(place, "not set in the environment, and without a default (`${env:NAME:-default}`)")
}

fn one<'a>(names: &[&'a str], place: &str) -> Result<&'a str, ConfigError> {
    match names {
        [name] => Ok(name),
        _ => Err(ConfigError::new(place, "expected exactly one name")),
    }
}

/// A map of the document, and where it stands.
struct Section<'a> {
    place: String,
    map: Option<&'a Map<String, Value>>,
}

impl<'a> Section<'a> {
    fn root(document: &'a Value, allowed: &[&str]) -> Result<Self, ConfigError> {
        Self::new(String::new(), Some(document), allowed)
    }

    fn new(place: String, value: Option<&'a Value>, allowed: &[&str]) -> Result<Self, ConfigError> {
        let at = if place.is_empty() { "the file" } else { &place };
        let map = match value {
            None | Some(Value::Null) => None,
            Some(Value::Object(map)) => Some(map),
            Some(_) => return Err(ConfigError::new(at, "expected a map")),
        };
        let unknown = map.is_some_and(|map| map.keys().any(|key| !allowed.contains(&key.as_str())));
        if unknown {
            // The key itself may be anything, so it is not repeated.
            let problem = match allowed {
                [] => "no settings are allowed here".to_owned(),
                _ => format!("an unknown key; allowed are {}", quoted(allowed)),
            };
            return Err(ConfigError::new(at, problem));
        }
        Ok(Self { place, map })
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        self.map?.get(key)
    }

    fn place_of(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) }
    }

    fn section(&self, key: &str, allowed: &[&str]) -> Result<Section<'a>, ConfigError> {
        if self.get(key).is_none() {
            return Err(ConfigError::new(&self.place_of(key), "missing"));
        }
        Section::new(self.place_of(key), self.get(key), allowed)
    }

    fn text(&self, key: &str) -> Result<&'a str, ConfigError> {
        let text = self.get(key).and_then(Value::as_str);
        text.ok_or_else(|| ConfigError::new(&self.place_of(key), "expected a text"))
    }

    fn names(&self, key: &str, allowed: &[&str]) -> Result<Vec<&'a str>, ConfigError> {
        let wrong = || ConfigError::new(&self.place_of(key), format!("expected a list of {}", quoted(allowed)));
        let Some(names) = self.get(key) else { return Ok(Vec::new()) };
        let names = names.as_array().ok_or_else(wrong)?;
        names.iter().map(|name| name.as_str().filter(|name| allowed.contains(name)).ok_or_else(wrong)).collect()
    }

    /// Whether it says `off`, which is the only thing it can say. YAML 1.1 readers make a boolean of the bare word.
    fn switched_off(&self, key: &str) -> Result<bool, ConfigError> {
        match self.get(key) {
            None => Ok(false),
            Some(Value::Bool(false)) => Ok(true),
            Some(Value::String(word)) if word == "off" => Ok(true),
            Some(_) => Err(ConfigError::new(&self.place_of(key), "expected `off`, or nothing")),
        }
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../examples/collector/veilspan.yaml");

    fn none(_: &str) -> Option<String> {
        None
    }

    fn with_pipeline(pipeline: &str) -> Result<Config, ConfigError> {
        let yaml = format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:0\"}}}}}}}}\n\
             processors: {{privacy: {{}}, reduce: {{}}}}\n\
             exporters: {{otlp: {{endpoint: \"http://127.0.0.1:1\"}}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp], {pipeline}}}}}}}\n"
        );
        Config::from_yaml(&yaml, &none)
    }

    #[test]
    fn the_example_is_read_with_its_defaults_and_with_variables() {
        let config = Config::from_yaml(EXAMPLE, &none).unwrap();
        assert_eq!(config.listen, "127.0.0.1:14317".parse().unwrap());
        assert_eq!(config.export.as_deref(), Some("http://127.0.0.1:24317"));
        assert_eq!(config.processors, [Processor::Privacy, Processor::Reduce]);
        let set = |name: &str| (name == "STAGE_LISTEN").then(|| "127.0.0.1:7".to_owned());
        assert_eq!(Config::from_yaml(EXAMPLE, &set).unwrap().listen.port(), 7);
    }

    #[test]
    fn privacy_is_first_unless_it_is_switched_off_by_name() {
        assert_eq!(with_pipeline("processors: []").unwrap().processors, [Processor::Privacy]);
        let reduce = with_pipeline("processors: [reduce]").unwrap();
        assert_eq!(reduce.processors, [Processor::Privacy, Processor::Reduce]);
        assert_eq!(with_pipeline("processors: [reduce], privacy: off").unwrap().processors, [Processor::Reduce]);
        assert!(with_pipeline("processors: [reduce, privacy]").is_err());
        assert!(with_pipeline("processors: [privacy], privacy: off").is_err());
        assert!(with_pipeline("processors: [reduce], privacy: maybe").is_err());
    }

    #[test]
    fn errors_name_the_place_and_what_is_allowed_and_no_value() {
        let cases = [
            ("processors: [canary]", "service.pipelines.traces.processors: expected a list of `privacy`, `reduce`"),
            ("canary: 1", "service.pipelines.traces: an unknown key; allowed are"),
            ("processors: canary", "service.pipelines.traces.processors: expected a list"),
            ("processors: [reduce, reduce]", "service.pipelines.traces.processors: `reduce` stands there twice"),
        ];
        for (pipeline, start) in cases {
            let error = with_pipeline(pipeline).unwrap_err().to_string();
            assert!(error.starts_with(start) && !error.contains("canary"), "{error}");
        }
        let unset = EXAMPLE.replace(":-127.0.0.1:14317", "");
        assert!(Config::from_yaml(&unset, &none).unwrap_err().to_string().starts_with("STAGE_LISTEN: "));
        let misspelt = EXAMPLE.replace(":-127.0.0.1:14317", "-canary");
        assert!(Config::from_yaml(&misspelt, &none).unwrap_err().to_string().starts_with("a variable: not set"));
        assert!(Config::from_yaml("a: [canary", &none).unwrap_err().to_string().starts_with("the file: not YAML"));
        let open = EXAMPLE.replace("127.0.0.1:14317", "0.0.0.0:14317");
        assert!(Config::from_yaml(&open, &none).unwrap_err().to_string().contains("not a loopback address"));
    }
}
