//! Free text in every string that the SDK's spans have: none of it leaves.

use opentelemetry::trace::{Event, Link, Status};
use opentelemetry::{Array, InstrumentationScope, Key, KeyValue, StringValue, Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message;
use veilspan::semconv::table;

use super::build::{AT, context, every_policy, leave, resource_leaves, span};
use crate::support::leaks::holds;

/// What every canary holds.
const CORE: &str = r#"quiet "zebras" sing"#;

fn canary(place: &str) -> String {
    format!("{place} {CORE}")
}

/// A canary in each type of value.
fn values(place: &str) -> [Value; 4] {
    let texts = |texts: [String; 2]| Value::Array(Array::String(texts.map(StringValue::from).to_vec()));
    [
        canary(place).into(),
        texts([canary(place), "label".to_owned()]),
        texts(["label".to_owned(), canary(place)]),
        format!(r#"[{{"role":"user","parts":[{{"type":"text","content":{:?}}}]}}]"#, canary(place)).into(),
    ]
}

/// A canary under each of these keys, and in the key of each type of value.
fn attributes(place: &str, keys: &[&'static str]) -> Vec<KeyValue> {
    let under = keys.iter().enumerate().map(|(round, key)| KeyValue::new(*key, values(place)[round % 4].clone()));
    let harmless = [
        Value::Bool(true),
        Value::I64(7),
        Value::F64(0.5),
        "label".into(),
        Value::Array(Array::Bool(vec![true])),
        Value::Array(Array::I64(vec![1])),
        Value::Array(Array::F64(vec![0.5])),
    ];
    let named = harmless.into_iter().chain(values(place)).enumerate();
    let named = named.map(|(round, value)| KeyValue::new(canary(&format!("{place} {round}")), value));
    under.chain(named).collect()
}

fn everywhere() -> SpanData {
    let state = canary("state").replace(' ', "_");
    let state = [("vendor", "fine"), ("other", state.as_str()), ("blank", "quiet zebras sing")];
    let event = |name: String| {
        let keys = ["content", "exception.message", "gen_ai.prompt", "exception.type"];
        Event::new(name, AT, attributes("event", &keys), 2)
    };
    let mut genai = span(attributes("attribute", &["gen_ai.operation.name", "gen_ai.input.messages", "input.value"]));
    genai.name = canary("name").into();
    genai.span_context = context(&state);
    genai.status = Status::error(canary("status"));
    genai.events.events = vec![event(canary("event")), event("gen_ai.user.message".to_owned())];
    genai.links.links = vec![Link::new(context(&state), attributes("link", &["veilspan.edge.kind", "gen_ai.x"]), 4)];
    genai.instrumentation_scope = InstrumentationScope::builder(canary("scope"))
        .with_version(canary("version"))
        .with_schema_url(canary("schema"))
        .with_attributes(attributes("scope attribute", &["a", "b", "c"]))
        .build();
    genai
}

/// Nothing of a span that is full of canaries leaves, whatever the policy: not in a field, not in bytes.
fn assert_no_leak(spans: &[SpanData]) {
    for policy in every_policy() {
        let left = leave(&policy, spans);
        assert_eq!(left.len(), spans.len());
        for span in left {
            let debug = format!("{span:?}");
            assert!(!holds(debug.as_bytes(), "zebras"), "{policy:?}: {debug}");
            assert!(!holds(&Span::from(span).encode_to_vec(), "zebras"));
        }
    }
}

#[test]
fn no_free_text_leaves_from_any_field() {
    assert!(format!("{:?}", everywhere()).matches("zebras").count() > 60);
    assert_no_leak(&[everywhere()]);
}

#[test]
fn no_free_text_leaves_under_any_name_of_the_table_or_of_another_dialect() {
    let foreign =
        ["llm.input_messages.0.message.content", "input.value", "ai.prompt", "my.renamed.prompt", "user.id", ""];
    let keys = table().iter().map(|name| name.key).chain(foreign);
    let spans: Vec<_> = keys
        .flat_map(|key| {
            values(key).map(|value| {
                let mut planted = span([KeyValue::new("gen_ai.x", 1), KeyValue::new(key, value.clone())]);
                let attributes = vec![KeyValue::new(key, value)];
                planted.events.events = vec![Event::new("e", AT, attributes.clone(), 0)];
                planted.links.links = vec![Link::new(context(&[]), attributes, 0)];
                planted
            })
        })
        .collect();
    assert_no_leak(&spans);
}

#[test]
fn no_free_text_leaves_in_a_key_that_stands_twice() {
    for place in 0..3 {
        let mut attributes = vec![KeyValue::new("gen_ai.request.model", "gpt-x"); 3];
        attributes[place].value = canary("model").into();
        assert_no_leak(&[span(attributes)]);
    }
}

#[test]
fn a_resource_leaves_as_labels() {
    let mut planted = attributes("resource", &["service.name", "gen_ai.input.messages", "host.name", "x"]);
    planted.push(KeyValue::new("service.version", "1.0.0"));
    let resource = Resource::builder_empty().with_schema_url(planted, canary("schema")).build();
    for policy in every_policy() {
        let left = resource_leaves(&policy, &resource);
        let debug = format!("{left:?}");
        assert!(!holds(debug.as_bytes(), "zebras"), "{policy:?}: {debug}");
        assert_eq!(left.get(&Key::new("service.version")), Some("1.0.0".into()));
        assert!(left.get(&Key::new("service.name")).is_some());
        assert_eq!(left.schema_url(), None);
        assert_eq!(resource_leaves(&policy, &left), left);
    }
}

#[test]
fn no_wrapper_prints_what_passes_through_it() {
    use super::build::{Kept, keyed, now};
    use opentelemetry_sdk::trace::{SpanExporter, SpanProcessor};
    use veilspan::processor::{RedactingExporter, RedactingProcessor};
    let raw = Kept::default();
    SpanProcessor::on_end(&raw, everywhere());
    let exporter = RedactingExporter::new(raw.clone(), keyed());
    now(exporter.export(vec![everywhere()])).unwrap();
    let processor = RedactingProcessor::new(raw, keyed());
    for debug in [format!("{exporter:?}"), format!("{processor:?}"), format!("{:?}", exporter.counts())] {
        assert!(!holds(debug.as_bytes(), "zebras"), "{debug}");
    }
    assert!(exporter.counts().labels_replaced() > 0);
}
