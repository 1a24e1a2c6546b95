//! Delivery to real receivers that go away, stall, are too small, and come back. What takes minutes is tested on a clock of
//! its own, beside the sender.
#![cfg(feature = "collector")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use prost::Message;
use support::http_receiver::HttpReceiver;
use support::receiver::{Behaviour, Receiver};
use tonic::{Code, Status};
use veilspan::export::{ExporterConfig, Protocol};
use veilspan::intake::Drop;
use veilspan::{Policy, Recorder};

const SOON: Duration = Duration::from_secs(30);

fn recorder(endpoint: String, change: impl FnOnce(&mut ExporterConfig)) -> Recorder {
    let mut config = ExporterConfig::default();
    config.endpoint = endpoint;
    config.batch_delay = Duration::from_millis(20);
    config.timeout = Duration::from_millis(500);
    change(&mut config);
    Recorder::exporting(&config, Policy::builder().build_in(&Default::default()).0).unwrap()
}

fn record(recorder: &Recorder, calls: usize) {
    (0..calls).for_each(|n| recorder.tool(&format!("tool-{n}")).start().finish());
}

#[test]
fn a_receiver_that_is_restarted_gets_what_was_recorded_meanwhile() {
    let first = Receiver::start(Behaviour::Accept);
    let address = first.address;
    let recorder = recorder(first.url(), |_| {});
    record(&recorder, 3);
    assert!(recorder.flush(SOON).complete);
    drop(first);
    record(&recorder, 5);
    assert!(!recorder.flush(Duration::from_millis(300)).complete);
    let second = Receiver::start_at(address);
    assert!(recorder.shutdown(SOON).complete);
    assert_eq!((second.spans().len(), recorder.counts().sent), (5, 8));
}

#[test]
fn a_receiver_that_is_too_small_gets_what_fits_and_only_the_span_that_never_will_is_lost() {
    let receiver = Receiver::start_small(6000);
    let recorder = recorder(receiver.url(), |config| config.batch_delay = Duration::from_secs(5));
    record(&recorder, 60);
    let mut call = recorder.inference("openai", "m").start();
    (0..300).for_each(|n| {
        call.finish_reason(&format!("a-reason-that-is-long-enough-to-count-{n}"));
    });
    call.finish();
    assert!(recorder.shutdown(SOON).complete);
    let counts = recorder.counts();
    assert_eq!((counts.sent, counts.dropped.of(Drop::TooLongForPeer)), (60, 1), "{counts:?}");
    assert_eq!(receiver.spans().len(), 60);
}

#[test]
fn an_http_receiver_that_says_413_gets_halves() {
    #[derive(Clone, Default)]
    struct Seen(Arc<AtomicUsize>);
    async fn take(State(seen): State<Seen>, body: axum::body::Bytes) -> StatusCode {
        use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
        if body.len() > 6000 {
            return StatusCode::PAYLOAD_TOO_LARGE;
        }
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        let spans = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
        seen.0.fetch_add(spans.map(|scope| scope.spans.len()).sum(), Ordering::SeqCst);
        StatusCode::OK
    }
    let seen = Seen::default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/v1/traces", axum::routing::post(take)).with_state(seen.clone());
    runtime.spawn(async move { axum::serve(listener, app).await.unwrap() });
    let recorder = recorder(format!("http://{address}/v1/traces"), |config| {
        config.protocol = Protocol::HttpProtobuf;
        config.batch_delay = Duration::from_secs(5);
    });
    record(&recorder, 60);
    assert!(recorder.shutdown(SOON).complete);
    assert_eq!((seen.0.load(Ordering::SeqCst), recorder.counts().sent), (60, 60));
}

#[test]
fn copies_of_a_span_are_equal_byte_for_byte() {
    let receiver = Receiver::start(Behaviour::Stall);
    let recorder = recorder(receiver.url(), |_| {});
    record(&recorder, 20);
    assert!(!recorder.flush(Duration::from_millis(700)).complete);
    receiver.behave(Behaviour::RefuseFirst(1, Status::new(Code::DataLoss, "")));
    assert!(recorder.shutdown(SOON).complete);
    let mut copies: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    for span in receiver.spans() {
        copies.entry(span.span_id.clone()).or_default().push(span.encode_to_vec());
    }
    assert_eq!(copies.len(), 20);
    assert!(copies.values().all(|copies| copies.iter().all(|copy| *copy == copies[0])));
    assert!(recorder.counts().retries > 0);
}

/// Passes bytes on, and cuts the first connections in the middle of what is sent.
fn cutting(to: SocketAddr, cuts: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (number, client) in listener.incoming().map_while(Result::ok).enumerate() {
            let server = TcpStream::connect(to).unwrap();
            let limit = if number < cuts { 2000 } else { usize::MAX };
            let ends =
                [(client.try_clone().unwrap(), server.try_clone().unwrap(), limit), (server, client, usize::MAX)];
            for (mut from, mut to, limit) in ends {
                std::thread::spawn(move || {
                    let (mut buffer, mut passed) = ([0; 1000], 0);
                    while let Ok(read @ 1..) = from.read(&mut buffer) {
                        passed += read;
                        if passed > limit || to.write_all(&buffer[..read]).is_err() {
                            break;
                        }
                    }
                    let _ = from.shutdown(std::net::Shutdown::Both);
                    let _ = to.shutdown(std::net::Shutdown::Both);
                });
            }
        }
    });
    address
}

#[test]
fn a_connection_that_is_cut_in_the_middle_of_a_message_costs_nothing() {
    let receiver = Receiver::start(Behaviour::Accept);
    let recorder = recorder(format!("http://{}", cutting(receiver.address, 3)), |_| {});
    record(&recorder, 100);
    assert!(recorder.shutdown(SOON).complete);
    let counts = recorder.counts();
    assert_eq!((counts.sent, counts.dropped.calls()), (100, 0));
    assert!(counts.retries >= 3, "{counts:?}");
    assert_eq!(receiver.spans().len(), 100);
}

/// Keeps the first connections open without a word, and leads later ones on: a name that points elsewhere by now, while the
/// machine that it pointed to is gone without saying so.
fn moving(to: SocketAddr, silent: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for client in listener.incoming().map_while(Result::ok) {
            if kept.len() < silent {
                kept.push(client);
                continue;
            }
            let server = TcpStream::connect(to).unwrap();
            for (mut from, mut to) in [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)] {
                std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            }
        }
    });
    address
}

#[test]
fn a_connection_without_an_answer_is_left_and_the_name_is_dialled_anew() {
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
        let (receiver, http) = (Receiver::start(Behaviour::Accept), HttpReceiver::start());
        let to = if protocol == Protocol::Grpc { receiver.address } else { http.address };
        let recorder = recorder(format!("http://{}", moving(to, 2)), |config| config.protocol = protocol);
        record(&recorder, 10);
        assert!(recorder.shutdown(SOON).complete, "{protocol}");
        assert_eq!(recorder.counts().sent, 10);
        assert_eq!(receiver.spans().len() + http.spans().len(), 10);
    }
}

#[test]
fn a_flush_waits_for_what_was_there_and_not_for_what_keeps_coming() {
    let receiver = Receiver::start(Behaviour::Accept);
    let recorder = recorder(receiver.url(), |_| {});
    let stops = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !stops.load(Ordering::Relaxed) {
                record(&recorder, 10);
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let slowest = (0..10).map(|_| {
            let started = Instant::now();
            let before = recorder.counts().recorded;
            let drained = recorder.flush(SOON);
            assert!(drained.complete && drained.counts.sent >= before);
            started.elapsed()
        });
        let slowest = slowest.max().unwrap();
        stops.store(true, Ordering::Relaxed);
        assert!(slowest < SOON / 2, "{slowest:?}");
    });
}

#[test]
fn several_flush_at_once_and_each_hears_how_it_ended() {
    let receiver = Receiver::start(Behaviour::Accept);
    let recorder = recorder(receiver.url(), |config| config.batch_delay = Duration::from_secs(3600));
    let failed = Mutex::new(0);
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                for _ in 0..20 {
                    record(&recorder, 3);
                    if !recorder.flush(SOON).complete {
                        *failed.lock().unwrap() += 1;
                    }
                }
            });
        }
    });
    assert_eq!(*failed.lock().unwrap(), 0);
    assert_eq!(recorder.counts().sent, 8 * 20 * 3);
}
