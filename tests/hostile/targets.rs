//! What is done with arbitrary bytes: each of these may end in any way but a panic. Driven by `tests/hostile` and by `fuzz`.

#[path = "../support/walk_vs_prost.rs"]
mod walk;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use serde_json::Value;
use tonic::Status;
use tonic::codegen::Service;
use veilspan::collector::Config;
use veilspan::environment::Environment;
use veilspan::event::{Message, Part, Role, shape};
use veilspan::otlp::assemble::patched;
use veilspan::otlp::{Gate, Handler, Look, Reply, Request as Parsed, TraceHttp, TraceServer};
use veilspan::privacy::c1::{self, Hasher};
use veilspan::privacy::{Detectors, Level};
use veilspan::processor::privacy::Privacy;
use veilspan::record::{CallRef, Ticket};
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

pub type Target = fn(&[u8]);

/// All of them, by name.
pub const TARGETS: [(&str, Target); 12] = [
    ("detect", detect),
    ("canonical", canonical),
    ("shapes", shapes),
    ("json", json),
    ("record", record),
    ("stage", stage),
    ("walk_vs_prost", walk_vs_prost),
    ("rules", rules),
    ("environment", environment),
    ("spool", spool),
    ("listener", listener),
    ("config", config),
];

const SOON: Duration = Duration::from_secs(60);

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Finding and masking: what is masked is masked, and JSON stays JSON.
pub fn detect(bytes: &[u8]) {
    static DETECTORS: LazyLock<Detectors> = LazyLock::new(Detectors::default_set);
    let text = text(bytes);
    let found = DETECTORS.find(&text);
    assert_eq!(DETECTORS.hits(&text), !found.is_empty());
    for hit in &found {
        assert!(text.get(hit.range.clone()).is_some(), "a hit ends inside of a character");
    }
    let masked = DETECTORS.mask(&text);
    if c1::canonical(&text).is_some() && (text.starts_with('{') || text.starts_with('[')) {
        assert!(c1::canonical(&masked).is_some(), "masked JSON is none");
    }
}

/// The canonical form: again canonical, and the same value.
pub fn canonical(bytes: &[u8]) {
    let text = text(bytes);
    let hasher = Hasher::sha256();
    let digest = c1::arguments(&hasher, &text);
    let Some(canonical) = c1::canonical(&text) else { return };
    let canonical = std::str::from_utf8(canonical.as_bytes()).unwrap();
    assert_eq!(c1::canonical(canonical).unwrap().as_bytes(), canonical.as_bytes());
    assert_eq!(c1::arguments(&hasher, canonical).digest, digest.digest);
}

/// The readers of providers' JSON.
pub fn shapes(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    let hasher = Hasher::sha256();
    let read = |request: veilspan::event::Request| c1::request(&hasher, &request).heads.last().copied();
    let borrowed = shape::request(&value).and_then(read);
    assert_eq!(borrowed, shape::request(value.clone()).and_then(read));
    let _ = (shape::messages(&value), shape::answer(&value), shape::response_facts(&value), shape::Usage::read(&value));
    let _ = (shape::genai::messages(&value), shape::genai::system(&value), shape::genai::tools(&value));
}

/// The reader of JSON text that stands on a span, beside serde_json, which a recorder's caller reads it with: the same
/// messages, or none.
pub fn json(bytes: &[u8]) {
    static PRIVACY: LazyLock<Privacy> =
        LazyLock::new(|| Privacy::new(Policy::builder().unkeyed_sha256().build_in(&Environment::default()).0));
    let text = text(bytes);
    if !text.trim_start().starts_with(['[', '{']) {
        return;
    }
    let expected: Vec<String> = serde_json::from_str::<Value>(&text).map_or_else(
        |_| Vec::new(),
        |value| {
            let request = veilspan::event::Request { messages: shape::genai::messages(value), ..Default::default() };
            let items = c1::request(&Hasher::sha256(), &request).items;
            let first = items.len().saturating_sub(512);
            items.iter().skip(first).map(|item| item.digest.map_or_else(String::new, |it| it.to_string())).collect()
        },
    );
    assert_eq!(stage_tells(&PRIVACY, &text), expected);
}

/// The digests that a stage tells of these messages.
fn stage_tells(privacy: &Privacy, messages: &str) -> Vec<String> {
    let attribute = |key: &str, text: &str| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(Any::StringValue(text.to_owned())) }),
        ..KeyValue::default()
    };
    let span = Span {
        trace_id: vec![1; 16],
        span_id: vec![1; 8],
        attributes: vec![attribute("gen_ai.operation.name", "chat"), attribute("gen_ai.input.messages", messages)],
        ..Span::default()
    };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    let bytes = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
    let request = Parsed::parse(bytes.into(), Look::Inside).unwrap();
    let left = patched(&request, &privacy.request(&request)).into_bytes();
    let mut left = ExportTraceServiceRequest::decode(left).unwrap();
    let span = left.resource_spans.remove(0).scope_spans.remove(0).spans.remove(0);
    let digests = span.attributes.into_iter().find(|attribute| attribute.key == "veilspan.input.digests");
    let Some(Any::ArrayValue(digests)) = digests.and_then(|it| it.value).and_then(|it| it.value) else {
        return Vec::new();
    };
    let digest = |value: AnyValue| match value.value {
        Some(Any::StringValue(text)) => text,
        other => panic!("{other:?} is no digest"),
    };
    digests.values.into_iter().map(digest).collect()
}

/// A recorder whose caller says this everywhere, at every level.
pub fn record(bytes: &[u8]) {
    static POLICIES: LazyLock<[Policy; 5]> = LazyLock::new(|| {
        let environment: Environment = [("VEILSPAN_CONTENT_MAX", "full")].into_iter().collect();
        Level::ALL.map(|level| Policy::builder().content(level).unkeyed_sha256().build_in(&environment).0)
    });
    let text = text(bytes);
    let value: Value = serde_json::from_slice(bytes).unwrap_or_else(|_| Value::String(text.clone()));
    let policy = &POLICIES[bytes.len() % POLICIES.len()];
    let sink = Arc::new(MemorySink::default());
    let recorder = Recorder::builder().sink(sink.clone()).policy(policy.clone()).build();
    let turn = recorder.turn(&text).tenant(&text).rollout(&text).turn_id(&text).start();
    let mut call = turn.inference(&text, &text).input(&value).input(value.clone()).system(text.as_str()).start();
    call.answer(&value).chunk(text.as_str()).finish_reason(&text);
    call.output(Message { role: Role::Assistant, parts: vec![Part::Other(text.clone().into())] });
    call.finish();
    let mut tool = turn.tool(&text).call_id(&text).arguments(text.as_str()).start();
    tool.result(&value).result(bytes_part(bytes));
    tool.fail(&text);
    turn.checkpoint(&text).cut(&text).state(text.as_str()).record();
    let _ = (CallRef::from_token(&text).is_ok(), Ticket::from_token(&text).is_ok());
    turn.finish();
    let drained = recorder.shutdown(SOON);
    assert_eq!(drained.counts.started, 3, "what was said is lost before what happened");
    assert_eq!(sink.calls().len(), 3);
}

fn bytes_part(bytes: &[u8]) -> Vec<Part> {
    vec![Part::Blob(bytes.to_vec().into())]
}

/// A request of another producer on its way through a stage: what leaves is a request, and passes again unchanged.
pub fn stage(bytes: &[u8]) {
    static PRIVACY: LazyLock<Privacy> =
        LazyLock::new(|| Privacy::new(Policy::builder().unkeyed_sha256().build_in(&Environment::default()).0));
    let Ok(request) = Parsed::parse(bytes.to_vec().into(), Look::Inside) else { return };
    let out = patched(&request, &PRIVACY.request(&request)).into_bytes();
    assert!(Parsed::parse(out, Look::Inside).is_ok());
}

/// A request read by our own walker and by prost: they agree.
pub fn walk_vs_prost(bytes: &[u8]) {
    walk::agree(bytes);
}

/// A file of rules.
pub fn rules(bytes: &[u8]) {
    if let Ok(detectors) = Detectors::parse(&text(bytes)) {
        let _ = detectors.mask("user=ada password=hunter22 4111111111111111 a@b.example");
    }
}

/// Variables of a policy: what is not understood never means more than the default.
pub fn environment(bytes: &[u8]) {
    let text = text(bytes);
    let mut parts = text.splitn(3, '\n');
    let mut next = || parts.next().unwrap_or_default().to_owned();
    let variables = [("VEILSPAN_CONTENT", next()), ("VEILSPAN_PREVIEW_CHARS", next()), ("VEILSPAN_HASH_KEY", next())];
    let environment: Environment = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let policy = Policy::builder().build_in(&environment).0;
    if Level::from_word(&variables[0].1).is_none() {
        assert!(policy.level() <= Level::None, "{:?} means more", variables[0].1);
    }
}

/// The spool of a dead process: it is read to its end, nothing in it waits for ever, and nothing is told twice.
pub fn spool(bytes: &[u8]) {
    let reading = veilspan::export::untrusted::read(bytes).unwrap();
    assert_eq!(reading.left, 0);
    let sent: usize = reading.spans.iter().map(Vec::len).sum();
    assert!(sent <= bytes.len());
}

/// The body of a call, over HTTP and gRPC, plain and as what is packed: it is answered, whatever it unpacks to, and nothing is
/// held of it then.
pub fn listener(bytes: &[u8]) {
    const MOST: usize = 1 << 16;
    struct Takes;
    impl Handler for Takes {
        async fn export(&self, body: Bytes) -> Result<Reply, Status> {
            assert!(body.len() <= MOST, "more is unpacked than may come");
            Ok(Reply::default())
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (gate, handler) = (Arc::new(Gate::default()), Arc::new(Takes));
    let http = TraceHttp::new(Arc::clone(&handler)).max_message_bytes(MOST).gate(Arc::clone(&gate));
    let mut grpc = TraceServer::new(handler).max_message_bytes(MOST).gate(Arc::clone(&gate));
    // The beginning of each, so that there is something to unpack.
    let packed: [(&str, &[u8]); 3] =
        [("identity", b""), ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\xff"), ("zstd", b"\x28\xb5\x2f\xfd")];
    for (encoding, beginning) in packed {
        let message = [beginning, bytes].concat();
        let request = Request::post("/v1/traces").header("content-encoding", encoding);
        let request = request.header("content-type", "application/x-protobuf");
        let answer = runtime.block_on(http.call(request.body(Full::new(Bytes::from(message.clone()))).unwrap()));
        assert!(answer.status().is_success() || answer.status().is_client_error(), "{}", answer.status());
        let head = [&[1][..], &u32::try_from(message.len()).unwrap().to_be_bytes()].concat();
        for body in [[head, message].concat(), bytes.to_vec()] {
            let request = Request::post("/opentelemetry.proto.collector.trace.v1.TraceService/Export");
            let request = request.header("grpc-encoding", encoding).body(Full::new(Bytes::from(body))).unwrap();
            assert_eq!(runtime.block_on(grpc.call(request)).unwrap().status(), 200);
        }
        assert_eq!(gate.in_use(), (0, 0));
    }
}

/// A configuration of a stage.
pub fn config(bytes: &[u8]) {
    let _ = Config::from_yaml(&text(bytes), &|name| (name.len() % 2 == 0).then(|| text(bytes)));
}
