//! Stages and requests for the tests.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use veilspan::collector::{Capture, Config, Processor, Stage};
use veilspan::export::ExporterConfig;
use veilspan::otlp::{Accepted, Client, ClientOptions, ExportError, Segments};
use veilspan::{Policy, Recorder};

pub const SOON: Duration = Duration::from_secs(20);

pub fn config(processors: &[Processor], export: Option<String>) -> Config {
    Config::between(([127, 0, 0, 1], 0).into(), export.as_deref()).with_processors(processors)
}

pub fn policy() -> Policy {
    Policy::builder().build_in(&Default::default()).0
}

pub fn stage(processors: &[Processor], export: String) -> Stage {
    Stage::builder(config(processors, Some(export))).policy(policy()).start().unwrap()
}

pub fn capturing(processors: &[Processor]) -> (Stage, Arc<Capture>) {
    let capture = Arc::new(Capture::default());
    let builder = Stage::builder(config(processors, None)).policy(policy()).capture(Arc::clone(&capture));
    (builder.start().unwrap(), capture)
}

pub async fn send(stage: &Stage, body: Vec<u8>) -> Result<Accepted, ExportError> {
    let client = Client::new(&ClientOptions::new(format!("http://{}", stage.address()))).unwrap();
    let mut request = Segments::with_capacity(1);
    request.push(Bytes::from(body));
    client.export(request).await
}

pub fn recorder_to(stage: &Stage) -> Recorder {
    let mut config = ExporterConfig::default();
    config.endpoint = format!("http://{}", stage.address());
    Recorder::exporting(&config, policy()).unwrap()
}

pub fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}

pub fn every_type_of_attribute() -> Vec<KeyValue> {
    let any = |value| AnyValue { value: Some(value) };
    vec![
        attribute("text", Value::StringValue("a text".to_owned())),
        attribute("int", Value::IntValue(-1)),
        attribute("double", Value::DoubleValue(f64::NAN)),
        attribute("bool", Value::BoolValue(true)),
        attribute("bytes", Value::BytesValue(vec![0, 255])),
        attribute(
            "array",
            Value::ArrayValue(ArrayValue { values: vec![any(Value::IntValue(1)), AnyValue::default()] }),
        ),
        attribute(
            "map",
            Value::KvlistValue(KeyValueList { values: vec![attribute("inner", Value::StringValue(String::new()))] }),
        ),
    ]
}

pub fn span(name: &str, attributes: Vec<KeyValue>) -> Span {
    Span {
        trace_id: vec![7; 16],
        span_id: vec![8; 8],
        trace_state: "a=1".to_owned(),
        flags: 0x101,
        name: name.to_owned(),
        start_time_unix_nano: 1,
        end_time_unix_nano: 2,
        attributes,
        ..Default::default()
    }
}

/// A request of these encoded spans. `unknown` is appended to each message around them.
pub fn request(spans: &[Vec<u8>], unknown: &[u8]) -> Vec<u8> {
    let field = |number: u8, body: &[u8]| {
        let mut field = vec![number << 3 | 2];
        prost::encode_length_delimiter(body.len(), &mut field).unwrap();
        [field, body.to_vec()].concat()
    };
    let spans: Vec<u8> = spans.iter().flat_map(|span| field(2, span)).collect();
    let scope_spans = [spans, unknown.to_vec()].concat();
    let resource_spans = [field(2, &scope_spans), unknown.to_vec()].concat();
    [field(1, &resource_spans), unknown.to_vec()].concat()
}

/// Field 1000, a text: in no version of OTLP.
pub const UNKNOWN: &[u8] = &[0xc2, 0x3e, 3, b'n', b'e', b'w'];

/// A request with one span that has no GenAI keys.
pub fn plain() -> Vec<u8> {
    request(&[span("GET /", Vec::new()).encode_to_vec()], &[])
}

/// A configuration from YAML, with these variables.
pub fn yaml(text: &str, variables: &[(&str, &str)]) -> Config {
    let variable =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Config::from_yaml(text, &variable).unwrap()
}

/// Where the stage's listener of this name listens.
pub fn address(stage: &Stage, name: &str) -> std::net::SocketAddr {
    stage.addresses().iter().find(|(known, _)| known == name).expect("such a listener").1
}

/// The value of a sample on the page of metrics.
pub fn metric(stage: &Stage, sample: &str) -> u64 {
    let page = stage.metrics();
    let value = page.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {sample} in\n{page}")).parse().unwrap()
}

/// Waits until a condition holds; long enough for a machine that is busy.
pub fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + 3 * SOON;
    while !condition() {
        assert!(std::time::Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
