//! The same callers over HTTP, and callers without the right words for either door.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;
use veilspan::collector::Stage;
use veilspan::otlp::GateLimits;

use crate::build::*;

fn start(read_time: Duration) -> Stage {
    let config = yaml(
        "receivers: {otlp: {protocols: {http: {endpoint: \"127.0.0.1:0\"}}}}\n\
         processors: {reduce: {}}\n\
         exporters: {otlp: {endpoint: \"http://127.0.0.1:1\"}}\n\
         service: {pipelines: {traces: {receivers: [otlp], processors: [reduce], exporters: [otlp]}}}\n",
        &[],
    );
    let mut limits = GateLimits::default();
    limits.read_time = read_time;
    Stage::builder(config).policy(policy()).gate(limits).capture(std::sync::Arc::default()).start().unwrap()
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(2 * SOON)).unwrap();
    stream
}

fn head(more: &str) -> String {
    format!("POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\n{more}\r\n")
}

/// The status of what comes back; nothing where the connection is closed instead.
fn status(mut stream: TcpStream) -> Option<u16> {
    let mut answer = Vec::new();
    // Who is sent away in the middle of a word may be reset.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).and_then(|status| status.parse().ok())
}

fn post(address: SocketAddr, body: &[u8]) -> Option<u16> {
    let mut stream = connect(address);
    stream.write_all(head(&format!("connection: close\r\ncontent-length: {}\r\n", body.len())).as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    status(stream)
}

fn not_read(stage: &Stage, reason: &str) -> u64 {
    metric(stage, &format!("veilspan_requests_not_read_total{{reason=\"{reason}\"}}"))
}

#[test]
fn claims_headers_and_frames_that_nobody_needs_are_refused_and_nothing_is_kept_for_them() {
    let stage = start(SOON);
    let address = stage.address();
    let mut claim = connect(address);
    claim.write_all(head("content-length: 1073741824\r\n").as_bytes()).unwrap();
    claim.shutdown(Shutdown::Write).unwrap();
    assert_eq!(status(claim), Some(413));
    assert_eq!((not_read(&stage, "too_large"), metric(&stage, "veilspan_requests_bytes")), (1, 0));
    // Many headers, and a long one.
    for more in ["x: y\r\n".repeat(2000), format!("x: {}\r\n", "y".repeat(64 << 10))] {
        let mut stream = connect(address);
        let _ = stream.write_all(head(&more).as_bytes());
        assert!(matches!(status(stream), None | Some(400..=499)));
    }
    for nonsense in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01"[..],
        b"GET\r\n\r\n",
        b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n",
    ] {
        let mut stream = connect(address);
        stream.write_all(nonsense).unwrap();
        let _ = stream.shutdown(Shutdown::Write);
        assert!(matches!(status(stream), None | Some(400..=499)), "{}", String::from_utf8_lossy(nonsense));
    }
    assert_eq!(post(address, &plain()), Some(200));
    assert_eq!(metric(&stage, "veilspan_requests_bytes"), 0);
}

#[test]
fn who_sends_a_byte_at_a_time_or_stops_in_the_middle_is_cut_off_and_holds_up_nobody() {
    let stage = start(Duration::from_millis(700));
    let address = stage.address();
    let slow: Vec<_> = (0..30)
        .map(|place| {
            std::thread::spawn(move || {
                let mut stream = connect(address);
                let length = if place % 2 == 0 { "content-length: 4096\r\n" } else { "transfer-encoding: chunked\r\n" };
                stream.write_all(head(length).as_bytes()).unwrap();
                for _ in 0..20 {
                    let frame: &[u8] = if place % 2 == 0 { b"x" } else { b"1\r\nx\r\n" };
                    // A third of them says nothing more at all.
                    if place % 3 == 0 || stream.write_all(frame).is_err() {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(100));
                }
                status(stream)
            })
        })
        .collect();
    assert_eq!(post(address, &plain()), Some(200), "nobody waits for them");
    for caller in slow {
        assert!(matches!(caller.join().unwrap(), None | Some(408)));
    }
    assert_eq!(not_read(&stage, "too_slow"), 30);
    // Half of a request, and nobody there any more.
    let mut gone = connect(address);
    gone.write_all(head("content-length: 4096\r\n").as_bytes()).unwrap();
    gone.write_all(&[0; 100]).unwrap();
    drop(gone);
    eventually("it is counted", || not_read(&stage, "broken") == 1);
    assert_eq!(metric(&stage, "veilspan_requests_bytes"), 0);
    assert_eq!(post(address, &plain()), Some(200));
}

#[test]
fn poison_bombs_and_a_million_attributes_take_nothing_else_with_them() {
    let stage = start(4 * SOON);
    let address = stage.address();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    (0..64).for_each(|_| gzip.write_all(&vec![0; 1 << 20]).unwrap());
    let bomb = gzip.finish().unwrap();
    let mut stream = connect(address);
    let more = format!("connection: close\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n", bomb.len());
    stream.write_all(head(&more).as_bytes()).unwrap();
    stream.write_all(&bomb).unwrap();
    assert_eq!((status(stream), not_read(&stage, "too_large")), (Some(413), 1));
    let name = [&[0x2a, 2][..], &[0xff, 0xfe]].concat();
    let good = span("good", Vec::new()).encode_to_vec();
    let poisoned = request(&[good.clone(), name, vec![0x0a, 0x7f, 1], good], &[]);
    assert_eq!((post(address, &poisoned), stage.refused_spans()), (Some(200), 2));
    let one = attribute("gen_ai.x", Value::IntValue(1)).encode_to_vec();
    let mut many = span("many", Vec::new()).encode_to_vec();
    (0..1_000_000).for_each(|_| {
        many.extend_from_slice(&[0x4a, one.len() as u8]);
        many.extend_from_slice(&one);
    });
    // Taken, or cut off by the caller's own clock on a machine that is busy.
    let _ = post(address, &request(&[many], &[]));
    assert_eq!(post(address, &plain()), Some(200));
    eventually("nothing is kept", || metric(&stage, "veilspan_requests_bytes") == 0);
}

#[test]
#[cfg(feature = "cli")]
fn a_token_is_in_no_log_whether_it_is_the_right_one_or_not() {
    const TOKEN: &str = "right-token-0123456789";
    const WRONG: &str = "wrong-token-0123456789";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stage.yaml");
    let listen = "{endpoint: \"127.0.0.1:0\", auth: {bearer_token: \"${env:TOKEN}\"}}";
    let yaml = format!(
        "receivers: {{otlp: {{protocols: {{grpc: {listen}, http: {listen}}}}}}}\n\
         exporters: {{otlp: {{endpoint: \"http://127.0.0.1:1\"}}}}\n\
         service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp]}}}}}}\n"
    );
    std::fs::write(&file, yaml).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_veilspan"));
    command.args(["collector", "--config"]).arg(&file).env_clear().env("TOKEN", TOKEN).env("RUST_LOG", "trace");
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut log = String::new();
    let of = |log: &str, name: &str| {
        let rest = log.split_once(&format!("{name}="))?.1;
        rest.split(['"', ' ', ',', '\n']).next()?.parse::<SocketAddr>().ok()
    };
    let (grpc, http) = loop {
        assert!(said.read_line(&mut log).unwrap() > 0, "it starts: {log}");
        if let Some(found) = of(&log, "otlp/grpc").zip(of(&log, "otlp/http")) {
            break found;
        }
    };
    let rest = std::thread::spawn(move || {
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        rest
    });
    for (token, expected) in [(Some(WRONG), 401), (None, 401), (Some(TOKEN), 503)] {
        let mut stream = connect(http);
        let token = token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
        let more = format!("connection: close\r\ncontent-length: {}\r\n{token}", plain().len());
        stream.write_all(head(&more).as_bytes()).unwrap();
        stream.write_all(&plain()).unwrap();
        assert_eq!(status(stream), Some(expected));
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for token in [WRONG, TOKEN] {
        let mut options = veilspan::otlp::ClientOptions::new(format!("http://{grpc}"));
        options.headers.push(("authorization".to_owned(), format!("Bearer {token}").into()));
        let _inside = runtime.enter();
        let client = veilspan::otlp::Client::new(&options).unwrap();
        runtime.block_on(client.export(bytes::Bytes::from(plain()).into())).unwrap_err();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    log.push_str(&rest.join().unwrap());
    for token in [TOKEN, WRONG] {
        assert!(!log.contains(token), "{log}");
    }
}
