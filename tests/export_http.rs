//! What the exporter promises over HTTP, seen by a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::time::{Duration, Instant};

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use secrecy::SecretString;
use support::http_receiver::{Answer, HttpReceiver};
use support::leaks::holds;
use tonic::Code;
use veilspan::event::{Message, Role};
use veilspan::export::{ExporterConfig, Protocol};
use veilspan::intake::Drop;
use veilspan::otlp::{Accepted, Client, ClientOptions, ExportError, Segments};
use veilspan::{Policy, Recorder};

const SOON: Duration = Duration::from_secs(20);

fn policy() -> Policy {
    Policy::builder().build_in(&Default::default()).0
}

fn recorder(variables: &[(&str, &str)]) -> Recorder {
    let http = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
    let (config, warnings) = ExporterConfig::from_environment(&[&[http], variables].concat().into_iter().collect());
    assert!(warnings.is_empty(), "{warnings:?}");
    Recorder::exporting(&config, policy()).unwrap()
}

fn recorder_to(receiver: &HttpReceiver) -> Recorder {
    recorder(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url())])
}

fn record_one(recorder: &Recorder) {
    let turn = recorder.turn("planner").start();
    let mut call = turn.inference("openai", "gpt-x").input("a planted canary text").start();
    call.output(Message::text(Role::Assistant, "an answered canary text"));
    call.finish();
    turn.finish();
}

fn options(endpoint: String) -> ClientOptions {
    ClientOptions { protocol: Protocol::HttpProtobuf, timeout: Duration::from_secs(5), ..ClientOptions::new(endpoint) }
}

fn export(endpoint: String, message: &'static [u8]) -> Result<Accepted, ExportError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        Client::new(&options(endpoint)).unwrap().export(Segments::from(Bytes::from_static(message))).await
    })
}

fn answered(answer: Answer) -> Result<Accepted, ExportError> {
    let receiver = HttpReceiver::answering(answer);
    export(receiver.url(), b"")
}

/// Waits until all that was started is accounted for.
fn lost_in_the_end(recorder: &Recorder) -> (u64, u64) {
    let deadline = Instant::now() + SOON;
    loop {
        let counts = recorder.counts();
        if counts.sent + counts.dropped.calls() == counts.started || Instant::now() > deadline {
            return (counts.sent, counts.dropped.calls());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn spans_arrive_as_the_specification_has_it_and_without_a_word_of_content() {
    let receiver = HttpReceiver::start();
    let recorder = recorder_to(&receiver);
    record_one(&recorder);
    let drained = recorder.shutdown(SOON);
    assert!(drained.complete);
    assert_eq!(drained.counts.sent, 2);
    let seen = receiver.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].uri.path(), "/v1/traces");
    assert_eq!(seen[0].header("content-type"), Some("application/x-protobuf"));
    assert_eq!(seen[0].header("content-length"), Some(&*seen[0].body.len().to_string()));
    assert_eq!(seen[0].header("transfer-encoding"), None);
    assert!(seen[0].header("user-agent").unwrap().starts_with("veilspan/"));
    let spans = receiver.spans();
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["chat gpt-x", "invoke_agent planner"]);
    for words in ["planted canary", "answered canary"] {
        assert!(!holds(&seen[0].body, words), "{words}");
    }
}

#[test]
fn the_endpoint_for_traces_is_taken_as_it_is_and_nothing_of_its_password_is_sent() {
    let receiver = HttpReceiver::start();
    let endpoint = format!("http://me:canary@{}/base/traces?key=1", receiver.address);
    let recorder = recorder(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint)]);
    record_one(&recorder);
    assert!(recorder.shutdown(SOON).complete);
    let seen = receiver.seen();
    assert_eq!(seen[0].uri.to_string(), "/base/traces?key=1");
    assert_eq!(seen[0].header("host"), Some(&*receiver.address.to_string()));
    assert!(!format!("{:?}", seen[0].headers).contains("canary"));
}

#[test]
fn a_compression_is_one_that_the_receiver_reads() {
    for word in ["gzip", "zstd"] {
        let receiver = HttpReceiver::start();
        let url = receiver.url();
        let recorder = recorder(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &url), ("OTEL_EXPORTER_OTLP_COMPRESSION", word)]);
        record_one(&recorder);
        assert!(recorder.shutdown(SOON).complete);
        let seen = receiver.seen();
        assert_eq!(seen[0].header("content-encoding"), Some(word));
        assert_eq!(seen[0].header("content-length"), Some(&*seen[0].body.len().to_string()));
        assert!(seen[0].body.len() < seen[0].plain().len(), "{word}");
        assert_eq!(receiver.spans().len(), 2);
    }
}

#[test]
fn headers_go_with_every_request_and_none_of_them_changes_how_it_is_read() {
    let receiver = HttpReceiver::start();
    let headers = "authorization=Bearer%20token,X-Scope=team-a,content-length=1,transfer-encoding=chunked,\
         content-type=text/plain,content-encoding=br,host=elsewhere,connection=close,user-agent=mine";
    let recorder =
        recorder(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url()), ("OTEL_EXPORTER_OTLP_HEADERS", headers)]);
    for _ in 0..2 {
        record_one(&recorder);
        assert!(recorder.flush(SOON).complete);
    }
    assert_eq!(receiver.seen().len(), 2);
    for seen in receiver.seen() {
        assert_eq!(seen.header("authorization"), Some("Bearer token"));
        assert_eq!(seen.header("x-scope"), Some("team-a"));
        assert_eq!(seen.header("user-agent"), Some("mine"));
        assert_eq!(seen.header("host"), Some(&*receiver.address.to_string()));
        assert_eq!(seen.header("content-type"), Some("application/x-protobuf"));
        for unset in ["transfer-encoding", "content-encoding", "connection"] {
            assert_eq!(seen.header(unset), None);
        }
        assert_eq!(seen.message().resource_spans.len(), 1);
    }
    assert_eq!(receiver.connections(), 1, "the connection is kept");
}

#[test]
fn a_status_is_one_to_retry_by_the_rules_of_otlp_and_keeps_no_text() {
    let statuses = [300, 301, 302, 304, 307, 400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 418, 429]
        .into_iter()
        .chain([500, 501, 502, 503, 504, 505, 507, 511, 599]);
    for status in statuses {
        let error = answered(Answer::of(status).saying("you sent 'secret'")).unwrap_err();
        assert_eq!(error.retryable(), [429, 502, 503, 504].contains(&status), "{status}");
        assert_eq!(error.to_string(), format!("peer refused: http status {status}"));
        assert!(error.answered());
        // 304 has no body.
        assert_eq!(error.message_len(), if status == 304 { 0 } else { 17 });
        assert!(!format!("{error:?} {error}").contains("secret"));
    }
}

#[test]
fn a_wait_that_the_peer_asks_for_is_kept_in_either_form() {
    let after = |value: &str| {
        let answer = Answer::of(503).with("retry-after", value).with("date", "Wed, 21 Oct 2015 07:28:00 GMT");
        answered(answer).unwrap_err().retry_after()
    };
    assert_eq!(after("7"), Some(Duration::from_secs(7)));
    assert_eq!(after("Wed, 21 Oct 2015 07:28:09 GMT"), Some(Duration::from_secs(9)));
    assert_eq!(after("soon"), None);

    let receiver = HttpReceiver::start().first([Answer::of(429).with("retry-after", "1")]);
    let recorder = recorder_to(&receiver);
    record_one(&recorder);
    assert!(recorder.shutdown(SOON).complete);
    let [refused, taken] = &*receiver.seen() else { panic!("{}", receiver.seen().len()) };
    assert!(taken.at - refused.at >= Duration::from_secs(1));
    assert_eq!(refused.body, taken.body, "byte for byte");
}

#[test]
fn what_is_refused_for_now_is_sent_again_and_what_is_refused_for_good_is_counted() {
    let receiver = HttpReceiver::start().first([502, 503, 504].map(Answer::of));
    let recorder = recorder_to(&receiver);
    record_one(&recorder);
    assert!(recorder.shutdown(SOON).complete);
    assert_eq!((receiver.seen().len(), recorder.counts().sent), (4, 2));

    // A request that is too long is sent again as its halves, down to the single span.
    for (status, requests, reason) in
        [(400, 1, Drop::PeerRefused), (413, 3, Drop::TooLongForPeer), (500, 1, Drop::PeerRefused)]
    {
        let receiver = HttpReceiver::answering(Answer::of(status));
        let recorder = recorder_to(&receiver);
        record_one(&recorder);
        let counts = recorder.shutdown(SOON).counts;
        assert_eq!((receiver.seen().len(), counts.sent), (requests, 0), "{status}");
        assert_eq!(counts.dropped.of(reason), 2, "{status}");
    }

    for status in [301, 401, 403, 404] {
        let receiver = HttpReceiver::answering(Answer::of(status));
        let recorder = recorder_to(&receiver);
        record_one(&recorder);
        // That may be put right on the peer's side, so the spans wait.
        assert!(!recorder.flush(Duration::from_millis(200)).complete, "{status}");
        assert_eq!(recorder.counts().dropped.calls(), 0, "{status}");
        assert!(!recorder.shutdown(Duration::from_millis(100)).complete);
        assert_eq!(lost_in_the_end(&recorder), (0, 2));
    }
}

#[test]
fn a_redirect_is_not_followed_so_that_nobody_else_sees_our_headers() {
    let other = HttpReceiver::start();
    for status in [301, 302, 303, 307, 308] {
        let error = answered(Answer::of(status).with("location", other.url())).unwrap_err();
        assert_eq!(error.code(), Code::NotFound);
    }
    assert!(other.seen().is_empty());
}

#[test]
fn spans_that_a_peer_rejects_are_counted_apart_from_those_it_took() {
    let partial_success = ExportTracePartialSuccess { rejected_spans: 1, error_message: "a 'secret'".to_owned() };
    let answer = Answer::protobuf(200, &ExportTraceServiceResponse { partial_success: Some(partial_success) });
    assert_eq!(answered(answer.clone()).unwrap(), Accepted { rejected_spans: 1, message_len: 10 });
    let receiver = HttpReceiver::answering(answer);
    let recorder = recorder_to(&receiver);
    record_one(&recorder);
    let counts = recorder.shutdown(SOON).counts;
    assert_eq!((counts.sent, counts.dropped.of(Drop::PeerRefused)), (1, 1));
}

#[test]
fn an_answer_of_success_is_one_whatever_else_it_says() {
    for status in [200, 202, 204] {
        assert_eq!(answered(Answer::of(status)).unwrap(), Accepted::default());
    }
    let json = Answer::of(200).with("content-type", "application/json").saying("{}");
    assert_eq!(answered(json).unwrap(), Accepted { rejected_spans: 0, message_len: 2 });
    let endless = Answer::of(200).with("content-type", "text/html").saying(vec![b'x'; 1 << 20]);
    assert_eq!(answered(endless).unwrap(), Accepted::default());
    // In the form of the specification, but not what it says it is.
    let garbage = Answer::of(200).with("content-type", "application/x-protobuf; charset=x").saying([0xff; 9]);
    assert_eq!(answered(garbage).unwrap_err().code(), Code::Internal);
}

#[test]
fn a_peer_that_is_not_there_or_hangs_up_or_stays_silent_is_asked_again() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| drop(listener.accept().unwrap()));
        let error = export(endpoint.clone(), b"").unwrap_err();
        assert_eq!((error.code(), error.answered(), error.retryable()), (Code::Unavailable, false, true));
    });
    drop(listener);
    let error = export(endpoint, b"").unwrap_err();
    assert_eq!((error.code(), error.answered(), error.retryable()), (Code::Unavailable, false, true));

    let silent = HttpReceiver::answering(Answer::default());
    let recorder = recorder(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &silent.url()), ("OTEL_EXPORTER_OTLP_TIMEOUT", "100")]);
    record_one(&recorder);
    assert!(!recorder.shutdown(Duration::from_millis(700)).complete);
    assert!(silent.seen().len() > 1, "the time-out ended the first one");
    assert_eq!(lost_in_the_end(&recorder), (0, 2));
}

#[test]
fn what_speaks_no_http_harms_nobody() {
    use std::io::{Read, Write};
    for words in [&b"SSH-2.0-OpenSSH_9.6\r\n"[..], b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort", b"\0\0\0\0"] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut connection = listener.accept().unwrap().0;
                // What is left unread would cut the answer off before it is there.
                assert!(connection.read(&mut [0; 4096]).unwrap() > 0);
                connection.write_all(words).unwrap();
            });
            // Cut off in the middle, what was said to be taken is taken.
            let is_taken = words.starts_with(b"HTTP");
            match export(endpoint, b"") {
                Ok(accepted) => assert!(is_taken && accepted == Accepted::default()),
                Err(error) => assert!(!is_taken && error.retryable(), "{error}"),
            }
        });
    }
}

#[test]
fn secrets_in_headers_and_endpoints_are_never_shown() {
    let _runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = _runtime.enter();
    let options = ClientOptions {
        headers: vec![("authorization".to_owned(), SecretString::from("Bearer hunter2"))],
        ..options("http://user:hunter2@127.0.0.1:1/hunter2".to_owned())
    };
    let client = Client::new(&options).unwrap();
    assert!(!format!("{options:?} {client:?}").contains("hunter2"));
    for (name, value) in [("bad name", "hunter2"), ("authorization", "hunter2\n")] {
        let headers = vec![(name.to_owned(), SecretString::from(value))];
        let error = Client::new(&ClientOptions { headers, ..options.clone() }).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }
}
