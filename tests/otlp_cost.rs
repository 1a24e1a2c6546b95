//! What a span costs. Not a promise: run by hand, `cargo test --release --test otlp_cost -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use veilspan::event::{
    Algorithm, At, Attrs, Body, CallId, CallRecord, Closed, Digest, Input, Item, KeyIdentity, Measure, Opened, Outcome,
    Output, ProducerId, Role, Scope, SpanId, SpanIds, TraceId, Veiled,
};
use veilspan::otlp::assemble::{self, Patches};
use veilspan::otlp::encode::{self, Encoder};
use veilspan::otlp::{Form, Look, Request, SpanView, decode};
use veilspan::semconv as s;

fn digest(byte: u8) -> Digest {
    Digest { algorithm: Algorithm::HmacSha256, bytes: [byte; 32] }
}

/// A chat call as the recorder makes it: about 35 attributes.
fn record() -> CallRecord<Veiled> {
    let producer = Some(ProducerId::from(1 << 90));
    let mut opened = Attrs::default();
    opened.set(s::OPERATION_NAME, "chat".into());
    opened.set(s::PROVIDER_NAME, "openai".into());
    opened.set(s::REQUEST_MODEL, "gpt-4.1-mini".into());
    opened.set(s::CONVERSATION_ID, "conv_5f8c2b1e9a7d".into());
    opened.set(s::MAX_TOKENS, 4096);
    opened.set(s::TEMPERATURE, 0.7);
    opened.set(s::TOP_P, 0.95);
    opened.set(s::AGENT_NAME, "researcher".into());
    opened.set(s::SERVER_ADDRESS, "api.openai.com".into());
    opened.set(s::SERVER_PORT, 443);
    opened.set(s::ATTEMPT, 1);
    let mut closed = Attrs::default();
    closed.set(s::RESPONSE_ID, "chatcmpl-BxYz0123456789abcdef".into());
    closed.set(s::RESPONSE_MODEL, "gpt-4.1-mini-2025-04-14".into());
    closed.set(s::FINISH_REASONS, vec!["stop".into()]);
    closed.set(s::INPUT_TOKENS, 1834);
    closed.set(s::OUTPUT_TOKENS, 412);
    closed.set(s::CACHE_READ_TOKENS, 1024);
    closed.set(s::TIME_TO_FIRST_CHUNK, 0.31);
    let item = |byte, role| Item { digest: Some(digest(byte)), role, length: Some(812), part_kinds: "text".into() };
    let ids = SpanIds {
        trace: TraceId::from_bytes([7; 16]).unwrap(),
        span: SpanId::from_bytes([9; 8]).unwrap(),
        parent: SpanId::from_bytes([8; 8]),
        parent_is_remote: false,
    };
    let root = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
    CallRecord {
        scope: Arc::new(Scope { tenant: None, rollout: root.into(), thread: root.into(), turn: root.into() }),
        id: KeyIdentity::Call(CallId::from(3 << 90)),
        opened_at: At { time_unix_nano: 1_780_000_000_000_000_000, producer, seq: Some(120_001) },
        closed_at: At { time_unix_nano: 1_780_000_001_250_000_000, producer, seq: Some(120_044) },
        opened: Opened {
            span: ids,
            attrs: opened,
            links: Vec::new(),
            policy: Some("content=digest;hash=hmac-sha256;form=c1;key=0a1b2c3d".into()),
        },
        closed: Closed { outcome: Some(Outcome::Completed), attrs: closed },
        body: Body::Inference {
            request: Input {
                prefix: Some(digest(1)),
                chain: Some(digest(2)),
                items: vec![item(3, Role::Assistant), item(4, Role::Tool)],
                ..Input::default()
            },
            answer: Output { items: vec![Measure { digest: Some(digest(5)), length: Some(1600) }], blobs: Vec::new() },
        },
    }
}

/// The best of several runs, in nanoseconds a time.
fn best(times: u32, mut work: impl FnMut()) -> f64 {
    let run = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..times).for_each(|_| work());
        start.elapsed()
    };
    let best: Duration = (0..9).map(|_| run(&mut work)).min().unwrap();
    best.as_nanos() as f64 / f64::from(times)
}

#[test]
#[ignore = "a measurement"]
fn cost_of_a_span() {
    let record = record();
    let encoder = Encoder::default();
    let mut out = Vec::with_capacity(1 << 16);
    encoder.span(&record, &mut out);
    let bytes = out.clone();
    let view = SpanView::parse(&bytes).unwrap();
    println!("{} bytes, {} attributes", bytes.len(), view.attributes().count());

    let encode = best(20_000, || {
        out.clear();
        encoder.span_field(black_box(&record), &mut out);
        black_box(&out);
    });
    let outer = best(20_000, || drop(black_box(SpanView::parse(black_box(&bytes)))));
    let attributes = best(20_000, || {
        black_box(SpanView::parse(black_box(&bytes)).unwrap().attributes().filter(Result::is_ok).count());
    });
    let form = best(20_000, || _ = black_box(Form::of_span(black_box(&bytes))));
    let decode = best(20_000, || drop(black_box(decode::call(&SpanView::parse(black_box(&bytes)).unwrap(), None))));
    let keys: Vec<_> = view.attributes().map(|pair| pair.unwrap().0).collect();
    let lookup = best(20_000, || keys.iter().for_each(|key| _ = black_box(s::lookup(black_box(key)))));
    println!("looking up the keys {lookup:.0} ns");
    let prost_span = Span::decode(&bytes[..]).unwrap();
    let prost_encode = best(20_000, || {
        out.clear();
        black_box(&prost_span).encode(&mut out).unwrap();
    });
    let prost_decode = best(5_000, || drop(black_box(Span::decode(black_box(&bytes[..])))));
    println!("encode {encode:.0} ns (prost from its own types {prost_encode:.0})");
    println!("view {outer:.0} ns, all attributes {attributes:.0} ns, form {form:.0} ns, record {decode:.0} ns");
    println!("prost decode {prost_decode:.0} ns");

    out.clear();
    encoder.span_field(&record, &mut out);
    let field = Bytes::from(out);
    let (resource, scope) = (encode::resource([("service.name", "demo")], None), encode::scope());
    let request = assemble::request(&resource, &scope, std::iter::repeat_n(field, 512));
    let body = request.clone().into_bytes();
    let per_span = |nanos: f64| nanos / 512.0;
    let outside = best(200, || drop(black_box(Request::parse(body.clone(), Look::Outside))));
    let inside = best(50, || drop(black_box(Request::parse(body.clone(), Look::Inside))));
    let read = Request::parse(body.clone(), Look::Inside).unwrap();
    let mut replace = Patches::default();
    read.spans().for_each(|span| replace.span(span.place(), assemble::Patch::Replace(span.bytes())));
    let patched = best(200, || drop(black_box(assemble::patched(&read, &replace))));
    let copied = best(200, || drop(black_box(request.clone().into_bytes())));
    println!("a span of 512: index {:.1} ns, with form {:.0} ns", per_span(outside), per_span(inside));
    println!("a span of 512: replaced {:.0} ns, joined by copying {:.0} ns", per_span(patched), per_span(copied));
}
