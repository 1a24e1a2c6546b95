//! What the exporter promises, seen by a real OTLP receiver.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use support::leaks::holds;
use support::receiver::{Behaviour, Receiver, attribute, int, text};
use tonic::Status;
use veilspan::event::{Message, Role};
use veilspan::export::{Compression, ExporterConfig};
use veilspan::intake::Drop;
use veilspan::{Policy, Recorder};

const SOON: Duration = Duration::from_secs(20);

fn policy() -> Policy {
    Policy::builder().build_in(&Default::default()).0
}

fn config(endpoint: String) -> ExporterConfig {
    let mut config = ExporterConfig::default();
    config.endpoint = endpoint;
    config
}

fn recorder_to(receiver: &Receiver) -> Recorder {
    Recorder::exporting(&config(receiver.url()), policy()).unwrap()
}

/// What was sent and what was lost, once all that was started is accounted for: a shutdown that is cut off counts a
/// moment later.
fn lost_in_the_end(recorder: &Recorder) -> (u64, u64) {
    let deadline = Instant::now() + SOON;
    loop {
        let counts = recorder.counts();
        let told = (counts.sent, counts.dropped.calls());
        assert!(told.0 + told.1 <= counts.started, "counted twice: {counts:?}");
        if told.0 + told.1 == counts.started || Instant::now() > deadline {
            return told;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn record_one(recorder: &Recorder) {
    let turn = recorder.turn("planner").start();
    let mut call = turn.inference("openai", "gpt-x").input("a planted canary text").temperature(0.5).start();
    call.output(Message::text(Role::Assistant, "an answered canary text")).tokens(12, 7).finish_reason("stop");
    call.finish();
    let mut tool = turn.tool("add").arguments("{\"a\": \"an argued canary text\"}").start();
    tool.result("a resulting canary text");
    tool.finish();
    turn.finish();
}

#[test]
fn a_turn_arrives_with_its_calls_as_the_conventions_have_them_and_without_a_word_of_content() {
    let receiver = Receiver::start(Behaviour::Accept);
    let recorder = recorder_to(&receiver);
    record_one(&recorder);
    let drained = recorder.shutdown(SOON);
    assert!(drained.complete);
    assert_eq!((drained.counts.started, drained.counts.recorded, drained.counts.sent), (3, 3, 3));
    let spans = receiver.spans();
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let (turn, chat, tool) = (named("invoke_agent planner"), named("chat gpt-x"), named("execute_tool add"));
    assert_eq!(chat.kind(), SpanKind::Client);
    assert_eq!((turn.kind(), tool.kind()), (SpanKind::Internal, SpanKind::Internal));
    assert_eq!(chat.parent_span_id, turn.span_id);
    assert_eq!(tool.parent_span_id, turn.span_id);
    assert_eq!(chat.trace_id, turn.trace_id);
    assert_eq!(text(chat, "gen_ai.provider.name"), Some("openai"));
    assert_eq!(int(chat, "gen_ai.usage.input_tokens"), Some(12));
    assert_eq!(attribute(chat, "gen_ai.request.temperature"), Some(&Value::DoubleValue(0.5)));
    for span in &spans {
        assert_eq!(text(span, "veilspan.rollout.id"), text(turn, "veilspan.rollout.id"));
        assert_eq!(text(span, "veilspan.outcome"), Some("completed"));
        assert!(text(span, "veilspan.policy").unwrap().starts_with("content=digest;hash=hmac-sha256;form=c1;key="));
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
    }
    for words in ["planted canary", "answered canary", "argued canary", "resulting canary"] {
        assert!(!holds(&receiver.bytes(), words), "{words}");
    }
    let resource = receiver.requests()[0].resource_spans[0].resource.clone().unwrap();
    let keys: Vec<_> = resource.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    assert!(keys.contains(&"service.name") && keys.contains(&"veilspan.producer.id"), "{keys:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_current_thread_host_delivers_on_shutdown_although_it_blocks_its_runtime() {
    let receiver = Receiver::start(Behaviour::Accept);
    let recorder = recorder_to(&receiver);
    record_one(&recorder);
    // This blocks the only thread of the host's runtime.
    assert!(recorder.shutdown(SOON).complete);
    assert_eq!(receiver.spans().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_host_whose_only_worker_is_blocked_delivers_on_shutdown() {
    let receiver = Receiver::start(Behaviour::Accept);
    let recorder = recorder_to(&receiver);
    tokio::spawn(async move {
        record_one(&recorder);
        assert!(recorder.shutdown(SOON).complete);
    })
    .await
    .unwrap();
    assert_eq!(receiver.spans().len(), 3);
}

#[test]
fn spans_leave_by_themselves_when_their_batch_is_full_or_old() {
    let receiver = Receiver::start(Behaviour::Accept);
    let mut config = config(receiver.url());
    config.batch_delay = Duration::from_millis(50);
    config.batch_spans = 2;
    let recorder = Recorder::exporting(&config, policy()).unwrap();
    record_one(&recorder);
    assert_eq!(receiver.wait_for_spans(3).len(), 3);
    let sizes: Vec<_> =
        receiver.requests().iter().map(|request| request.resource_spans[0].scope_spans[0].spans.len()).collect();
    assert_eq!(sizes, [2, 1]);
}

#[test]
fn an_endpoint_where_nobody_listens_slows_nobody_and_is_counted() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let recorder = Recorder::exporting(&config(format!("http://{unused}")), policy()).unwrap();
    record_one(&recorder);
    let started = Instant::now();
    let drained = recorder.shutdown(Duration::from_millis(300));
    assert!(!drained.complete);
    assert!(started.elapsed() < SOON, "the time-out is kept");
    assert_eq!(lost_in_the_end(&recorder), (0, 3));
}

#[test]
fn a_stalled_endpoint_is_left_at_the_time_out_and_its_spans_are_counted_once() {
    let receiver = Receiver::start(Behaviour::Stall);
    let recorder = recorder_to(&receiver);
    record_one(&recorder);
    let drained = recorder.shutdown(Duration::from_millis(300));
    assert!(!drained.complete);
    assert_eq!(lost_in_the_end(&recorder), (0, 3));
}

#[test]
fn a_refused_request_is_sent_again_until_it_is_taken() {
    let receiver = Receiver::start(Behaviour::RefuseFirst(2, Status::unavailable("a peer's words")));
    let recorder = recorder_to(&receiver);
    record_one(&recorder);
    let drained = recorder.shutdown(SOON);
    assert!(drained.complete, "{drained:?}");
    assert_eq!((receiver.calls(), receiver.spans().len(), drained.counts.sent), (3, 3, 3));
}

#[test]
fn a_peer_that_asks_to_wait_for_ever_harms_nobody() {
    let details = {
        // google.rpc.Status with a RetryInfo of i64::MAX seconds.
        let duration = [&[0x08][..], &[0xff; 8], &[0x7f]].concat();
        let info = [&[0x0a, duration.len() as u8][..], &duration].concat();
        let url = b"type.googleapis.com/google.rpc.RetryInfo";
        let any = [&[0x0a, url.len() as u8][..], url, &[0x12, info.len() as u8], &info].concat();
        [&[0x08, 8, 0x1a, any.len() as u8][..], &any].concat()
    };
    let status = Status::with_details(tonic::Code::ResourceExhausted, "", details.into());
    let receiver = Receiver::start(Behaviour::Refuse(status));
    let recorder = recorder_to(&receiver);
    record_one(&recorder);
    assert!(!recorder.flush(Duration::from_millis(300)).complete);
    assert!(receiver.calls() > 0);
    // The sender still lives: a shutdown accounts for everything.
    recorder.shutdown(Duration::from_millis(300));
    assert_eq!(lost_in_the_end(&recorder), (0, 3));
}

#[test]
fn a_batch_delay_beyond_the_clock_never_ends_and_harms_nobody() {
    let receiver = Receiver::start(Behaviour::Accept);
    let mut config = config(receiver.url());
    config.batch_delay = Duration::MAX;
    let recorder = Recorder::exporting(&config, policy()).unwrap();
    record_one(&recorder);
    // What the sender does between two batches is a wait too.
    assert!(recorder.flush(SOON).complete);
    std::thread::sleep(Duration::from_millis(20));
    record_one(&recorder);
    assert!(recorder.flush(SOON).complete);
    assert!(recorder.shutdown(Duration::MAX).complete);
    assert_eq!(receiver.spans().len(), 6);
}

#[test]
fn what_a_peer_refuses_for_good_is_counted_and_not_sent_again() {
    let receiver = Receiver::start(Behaviour::Refuse(Status::invalid_argument("a peer's words")));
    let recorder = recorder_to(&receiver);
    record_one(&recorder);
    let drained = recorder.shutdown(SOON);
    assert_eq!(receiver.calls(), 1);
    assert_eq!((drained.counts.sent, drained.counts.dropped.of(Drop::PeerRefused)), (0, 3));
}

#[test]
fn spans_that_a_peer_rejects_are_counted_apart_from_those_it_took() {
    let receiver = Receiver::start(Behaviour::Reject(2));
    let recorder = recorder_to(&receiver);
    record_one(&recorder);
    let counts = recorder.shutdown(SOON).counts;
    assert_eq!((counts.sent, counts.dropped.of(Drop::PeerRefused)), (1, 2));
}

#[test]
fn a_full_queue_refuses_the_newest_and_counts_them() {
    let receiver = Receiver::start(Behaviour::Stall);
    let mut config = config(receiver.url());
    config.queue_bytes = 4096;
    let recorder = Recorder::exporting(&config, policy()).unwrap();
    (0..50).for_each(|_| recorder.tool("t").start().finish());
    recorder.shutdown(Duration::from_millis(300));
    assert_eq!(lost_in_the_end(&recorder), (0, 50));
    assert!(recorder.counts().dropped.of(Drop::ExportQueueFull) > 0);
}

#[test]
fn two_exporters_in_a_process_do_not_share_fate() {
    let (good, bad) = (Receiver::start(Behaviour::Accept), Receiver::start(Behaviour::Stall));
    let (to_good, to_bad) = (recorder_to(&good), recorder_to(&bad));
    record_one(&to_bad);
    record_one(&to_good);
    assert!(to_good.shutdown(SOON).complete);
    assert_eq!(good.spans().len(), 3);
    assert!(!to_bad.shutdown(Duration::from_millis(100)).complete);
}

#[test]
fn headers_go_with_every_request() {
    let receiver = Receiver::start(Behaviour::Accept);
    let mut config = config(receiver.url());
    config.headers = vec![("X-Scope".to_owned(), "team-a".into())];
    let recorder = Recorder::exporting(&config, policy()).unwrap();
    record_one(&recorder);
    assert!(recorder.shutdown(SOON).complete);
    assert_eq!(receiver.headers()[0].get("x-scope").unwrap(), "team-a");
}

#[test]
fn what_is_compressed_is_read_and_says_how() {
    for compression in [Compression::Gzip, Compression::Zstd] {
        let receiver = Receiver::start(Behaviour::Accept);
        let mut config = config(receiver.url());
        config.compression = Some(compression);
        let recorder = Recorder::exporting(&config, policy()).unwrap();
        record_one(&recorder);
        assert!(recorder.shutdown(SOON).complete);
        assert_eq!(receiver.headers()[0].get("grpc-encoding").unwrap(), compression.as_str());
        assert_eq!(receiver.spans().len(), 3);
    }
}

#[test]
fn an_endpoint_without_a_scheme_is_an_error_that_says_what_to_write() {
    let error = Recorder::exporting(&config("localhost:4317".to_owned()), policy()).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("http://"), "{cause}");
}

#[test]
fn after_a_loss_the_history_is_told_whole_again() {
    let receiver = Receiver::start(Behaviour::Accept);
    let recorder = recorder_to(&receiver);
    let turn = recorder.turn("a").start();
    let messages =
        |count: usize| (0..count).map(|n| Message::text(Role::User, format!("message {n}"))).collect::<Vec<_>>();
    let ask = |count| {
        turn.inference("openai", "m").input(messages(count)).start().finish();
        assert!(recorder.flush(SOON).complete);
    };
    ask(1);
    ask(2);
    receiver.behave(Behaviour::Refuse(Status::invalid_argument("")));
    ask(3);
    receiver.behave(Behaviour::Accept);
    ask(4);
    let told: Vec<_> = receiver
        .spans()
        .iter()
        .map(|span| match attribute(span, "veilspan.input.digests") {
            Some(Value::ArrayValue(digests)) => (text(span, "veilspan.input.prefix").is_some(), digests.values.len()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, [(false, 1), (true, 1), (false, 4)]);
}
