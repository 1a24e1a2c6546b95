//! Callers who are slow, silent, broken or malicious: they get what they deserve, and nobody else notices.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue};
use prost::Message as _;
use veilspan::collector::{Processor, Stage};
use veilspan::otlp::GateLimits;

use crate::build::*;

const PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// HTTP/2 by hand, so that it can be spoken wrongly.
struct Raw(TcpStream);

impl Raw {
    fn connect(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(2 * SOON)).unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        let mut raw = Self(stream);
        raw.frame(SETTINGS, 0, 0, &[]);
        raw
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = (payload.len() as u32).to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        // Whoever is sent away may still be writing.
        let _ = self.0.write_all(&[head, payload.to_vec()].concat());
    }

    fn headers(&mut self, stream: u32, more: &[(&str, &str)]) {
        let mut block = Vec::new();
        let mut put = |name: &str, value: &str| {
            block.push(0);
            for text in [name, value] {
                // An integer of seven bits, as HPACK has it.
                if text.len() < 127 {
                    block.push(text.len() as u8);
                } else {
                    block.push(127);
                    let mut rest = text.len() - 127;
                    while rest >= 128 {
                        block.push((rest % 128) as u8 | 128);
                        rest /= 128;
                    }
                    block.push(rest as u8);
                }
                block.extend_from_slice(text.as_bytes());
            }
        };
        for (name, value) in [(":method", "POST"), (":scheme", "http"), (":path", PATH), (":authority", "localhost")] {
            put(name, value);
        }
        put("content-type", "application/grpc");
        put("te", "trailers");
        more.iter().for_each(|(name, value)| put(name, value));
        let mut pieces = block.chunks(16_000).peekable();
        let mut kind = HEADERS;
        while let Some(piece) = pieces.next() {
            let flags = if pieces.peek().is_none() { END_HEADERS } else { 0 };
            self.frame(kind, flags, stream, piece);
            kind = 9;
        }
    }
}

fn gate(bytes: usize, read_time: Duration) -> GateLimits {
    let mut limits = GateLimits::default();
    limits.bytes = bytes;
    limits.read_time = read_time;
    limits
}

fn start(limits: GateLimits) -> Stage {
    let capture = std::sync::Arc::default();
    let builder = Stage::builder(config(&[Processor::Privacy, Processor::Reduce], None)).policy(policy());
    builder.gate(limits).capture(capture).start().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_claims_a_gigabyte_is_refused_before_it_is_sent_and_nothing_is_kept_for_it() {
    let stage = start(GateLimits::default());
    let address = stage.address();
    let claiming = tokio::task::spawn_blocking(move || {
        let mut raw = Raw::connect(address);
        raw.headers(1, &[]);
        raw.frame(DATA, 0, 1, &[0, 0x40, 0, 0, 0]);
        raw
    });
    let _open = claiming.await.unwrap();
    eventually("it is counted", || metric(&stage, "veilspan_requests_not_read_total{reason=\"too_large\"}") == 1);
    assert_eq!(metric(&stage, "veilspan_requests_bytes"), 0);
    send(&stage, plain()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_a_byte_at_a_time_is_cut_off_and_holds_up_nobody() {
    let stage = start(gate(64 << 20, Duration::from_millis(700)));
    let address = stage.address();
    let slow: Vec<_> = (0..20)
        .map(|_| {
            tokio::task::spawn_blocking(move || {
                let mut raw = Raw::connect(address);
                for stream in (1..100).step_by(2) {
                    raw.headers(stream, &[]);
                    raw.frame(DATA, 0, stream, &[0, 0, 0, 16, 0]);
                    raw.frame(DATA, 0, stream, b"x");
                }
                std::thread::sleep(Duration::from_millis(200));
                (1..100).step_by(2).for_each(|stream| raw.frame(DATA, 0, stream, b"y"));
                raw
            })
        })
        .collect();
    for _ in 0..5 {
        send(&stage, plain()).await.unwrap();
    }
    let mut held = Vec::new();
    for one in slow {
        held.push(one.await.unwrap());
    }
    let stage = tokio::task::spawn_blocking(move || {
        eventually("all of them are cut off", || {
            metric(&stage, "veilspan_requests_not_read_total{reason=\"too_slow\"}") == 20 * 50
        });
        stage
    });
    let stage = stage.await.unwrap();
    assert_eq!(metric(&stage, "veilspan_requests_bytes"), 0);
    send(&stage, plain()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_broken_and_nonsensical_connections_hold_up_nobody() {
    let stage = start(GateLimits::default());
    let address = stage.address();
    let silent: Vec<_> = (0..50).map(|_| TcpStream::connect(address).unwrap()).collect();
    for nonsense in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 4096], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nxxxxxxxxxxxxxxxx"]
    {
        let mut stream = TcpStream::connect(address).unwrap();
        let _ = stream.write_all(nonsense);
    }
    let mut huge = Raw::connect(address);
    huge.headers(1, &[("x-huge", &"h".repeat(200_000))]);
    let mut broken = Raw::connect(address);
    broken.headers(1, &[]);
    broken.frame(DATA, 0, 1, &[0, 0, 0, 0, 100, 1, 2, 3]);
    let open = "veilspan_receiver_requests{receiver=\"otlp\",protocol=\"grpc\"}";
    eventually("it is being read", || metric(&stage, open) > 0);
    drop(broken);
    let mut short = Raw::connect(address);
    short.headers(1, &[]);
    short.frame(DATA, END_STREAM, 1, &[0, 0, 0, 0, 100, 1, 2, 3]);
    for _ in 0..5 {
        send(&stage, plain()).await.unwrap();
    }
    eventually("what broke off is counted", || {
        metric(&stage, "veilspan_requests_not_read_total{reason=\"broken\"}") >= 1
            && metric(&stage, "veilspan_requests_not_read_total{reason=\"garbled\"}") >= 1
    });
    assert_eq!(metric(&stage, "veilspan_requests_bytes"), 0);
    drop((silent, huge));
}

fn nested(depth: usize) -> AnyValue {
    let mut value = AnyValue { value: Some(Value::IntValue(1)) };
    for _ in 0..depth {
        value = AnyValue { value: Some(Value::ArrayValue(ArrayValue { values: vec![value] })) };
    }
    value
}

/// So deep that the generated code would not even write it: a length-delimited field in another, and so on.
fn deep(levels: usize) -> Vec<u8> {
    let mut value: Vec<u8> = Vec::new();
    for level in 0..levels {
        let mut outer = vec![if level % 2 == 0 { 0x0a } else { 0x2a }];
        prost::encode_length_delimiter(value.len(), &mut outer).unwrap();
        outer.extend_from_slice(&value);
        value = outer;
    }
    value
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_span_is_refused_alone_and_its_neighbours_go_through() {
    let (stage, capture) = capturing(&[Processor::Privacy, Processor::Reduce]);
    let good = span("good", Vec::new()).encode_to_vec();
    let with = |value: AnyValue| {
        let mut span = span("odd", vec![attribute("gen_ai.operation.name", Value::StringValue("chat".to_owned()))]);
        let key = "gen_ai.odd".to_owned();
        span.attributes.push(opentelemetry_proto::tonic::common::v1::KeyValue {
            key,
            value: Some(value),
            ..Default::default()
        });
        span.encode_to_vec()
    };
    let mut not_utf8 = good.clone();
    not_utf8.extend_from_slice(&[0x2a, 2, 0xff, 0xfe]);
    let mut too_deep = good.clone();
    let attribute = [&[0x0a, 1, b'k', 0x12][..], &varint(deep(2000).len()), &deep(2000)].concat();
    too_deep.extend_from_slice(&[&[0x4a][..], &varint(attribute.len()), &attribute].concat());
    let short_id = opentelemetry_proto::tonic::trace::v1::Span { trace_id: vec![1, 2], ..Default::default() };
    let cases: [(&str, Vec<u8>); 5] = [
        ("cut off", vec![0x0a, 0x7f, 1]),
        ("not utf-8", not_utf8),
        ("two thousand deep", too_deep),
        ("ninety deep", with(nested(45))),
        ("a short id", short_id.encode_to_vec()),
    ];
    for (name, poison) in cases {
        let before = capture.requests().len();
        let accepted = send(&stage, request(&[good.clone(), poison, good.clone()], &[])).await.expect(name);
        assert!(accepted.rejected_spans <= 1, "{name}");
        let out = capture.requests()[before].clone();
        let read = veilspan::otlp::Request::parse(out, veilspan::otlp::Look::Outside).unwrap();
        let kept = read.spans().filter(|span| span.as_slice() == good).count();
        assert_eq!(kept, 2, "{name}");
    }
}

fn varint(length: usize) -> Vec<u8> {
    let mut out = Vec::new();
    prost::encode_length_delimiter(length, &mut out).unwrap();
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_attributes_are_a_large_request_and_no_more_than_that() {
    let (stage, capture) = capturing(&[Processor::Privacy, Processor::Reduce]);
    let one = attribute("gen_ai.x", Value::IntValue(1)).encode_to_vec();
    let field = [&[0x4a][..], &varint(one.len()), &one].concat();
    let mut many = span("many", Vec::new()).encode_to_vec();
    (0..1_000_000).for_each(|_| many.extend_from_slice(&field));
    assert!(many.len() < 16 << 20);
    let answer = send(&stage, request(&[many], &[])).await;
    assert!(answer.is_ok() || !answer.unwrap_err().answered(), "taken, or cut off by the caller's own clock");
    send(&stage, plain()).await.unwrap();
    assert!(!capture.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_go_off_nowhere() {
    let stage = start(GateLimits::default());
    let address = stage.address();
    let zeros = vec![0; 1 << 20];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let mut zstd = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    for _ in 0..24 {
        gzip.write_all(&zeros).unwrap();
        zstd.write_all(&zeros).unwrap();
    }
    let bombs = [("gzip", gzip.finish().unwrap()), ("zstd", zstd.finish().unwrap())];
    let mut open = Vec::new();
    for (encoding, bomb) in bombs {
        // What one window lets through before anybody has acknowledged a wider one.
        assert!(bomb.len() < 60_000);
        let sending = tokio::task::spawn_blocking(move || {
            let mut raw = Raw::connect(address);
            raw.headers(1, &[("grpc-encoding", encoding)]);
            let framed = [&[1][..], &(bomb.len() as u32).to_be_bytes(), &bomb].concat();
            let mut chunks = framed.chunks(16_000).peekable();
            while let Some(chunk) = chunks.next() {
                raw.frame(DATA, if chunks.peek().is_none() { END_STREAM } else { 0 }, 1, chunk);
            }
            raw
        });
        open.push(sending.await.unwrap());
    }
    eventually("both are counted", || metric(&stage, "veilspan_requests_not_read_total{reason=\"too_large\"}") == 2);
    assert_eq!(metric(&stage, "veilspan_requests_bytes"), 0);
    send(&stage, plain()).await.unwrap();
}
