//! The sender against peers that are made up, on a clock that is: what takes minutes takes none here.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use tonic::Code;

use super::envelope::Envelope;
use super::io::{Io, Shared};
use super::limits::{Limits, Rank};
use super::outbox::Outbox;
use super::peer::Peer;
use super::queue::Queue;
use crate::intake::{Counters, Drop};
use crate::otlp::writer::put_bytes;
use crate::otlp::{Accepted, ExportError, Segments};

/// What a made-up peer does with a request.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Takes,
    Refuses(Code, Option<Duration>),
    /// The same, saying that it is too long.
    IsTooSmall(Code),
    /// Never, or when the client loses patience.
    Stalls,
}

#[derive(Default)]
struct Record {
    /// When a request came, and how many bytes it had.
    requests: Vec<(Instant, usize)>,
    in_flight: usize,
    most_in_flight: usize,
    connections: usize,
}

#[derive(Clone)]
struct MadeUp {
    answer: Arc<dyn Fn(Instant, usize) -> Answer + Send + Sync>,
    /// How long a taken request takes.
    latency: Duration,
    record: Arc<Mutex<Record>>,
}

impl MadeUp {
    fn new(answer: impl Fn(Instant, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(answer), latency: Duration::from_millis(5), record: Arc::default() }
    }

    fn times(&self) -> Vec<Instant> {
        self.record.lock().unwrap().requests.iter().map(|(at, _)| *at).collect()
    }
}

impl Peer for MadeUp {
    fn send(&self, request: Segments) -> impl Future<Output = Result<Accepted, ExportError>> + Send + 'static {
        let peer = self.clone();
        async move {
            let now = Instant::now();
            {
                let mut record = peer.record.lock().unwrap();
                record.requests.push((now, request.len()));
                record.in_flight += 1;
                record.most_in_flight = record.most_in_flight.max(record.in_flight);
            }
            let answer = (peer.answer)(now, request.len());
            let wait = if matches!(answer, Answer::Stalls) { Duration::from_secs(10) } else { peer.latency };
            tokio::time::sleep(wait).await;
            peer.record.lock().unwrap().in_flight -= 1;
            match answer {
                Answer::Takes => Ok(Accepted::default()),
                Answer::Refuses(code, retry_after) => Err(ExportError::made_up(code, true, retry_after)),
                Answer::IsTooSmall(code) => {
                    Err(ExportError::made_up(code, true, None).saying("received message larger than max"))
                }
                Answer::Stalls => Err(ExportError::made_up(Code::DeadlineExceeded, false, None)),
            }
        }
    }

    fn reconnect(&mut self) {
        self.record.lock().unwrap().connections += 1;
    }
}

struct Sending<Q = Outbox> {
    outbox: Arc<Q>,
    shared: Arc<Shared>,
    counters: Arc<Counters>,
}

const NOBODY: Envelope = Envelope::Scoped { resource: Bytes::new(), scope: Bytes::new() };

const fn limits(batch_spans: usize, batch_delay: Duration, queue_bytes: usize) -> Limits {
    Limits { batch_spans, batch_bytes: 1 << 20, batch_delay, queue_bytes, queue_spans: usize::MAX }
}

fn field(bytes: usize) -> Vec<u8> {
    let mut field = Vec::new();
    put_bytes(&mut field, 2, &vec![7; bytes]);
    field
}

impl<Q: Queue + 'static> Sending<Q> {
    fn from(queue: Q, peer: MadeUp, counters: Arc<Counters>) -> Self {
        let outbox = Arc::new(queue);
        let shared = Arc::new(Shared::new(Arc::clone(&outbox) as Arc<dyn Queue>, Arc::clone(&counters)));
        let mut io = Io::new(Arc::clone(&shared), peer, NOBODY);
        tokio::task::spawn_local(async move { io.run().await });
        Self { outbox, shared, counters }
    }
}

impl Sending {
    fn start(peer: MadeUp, batch_spans: usize, batch_delay: Duration, queue_bytes: usize) -> Self {
        Self::from(Outbox::new(limits(batch_spans, batch_delay, queue_bytes)), peer, Arc::default())
    }

    fn push(&self, bytes: usize) -> bool {
        match self.outbox.push(&field(bytes), Rank::Completed) {
            Ok(due) => {
                if due {
                    self.shared.wake.notify_one();
                }
                true
            }
            Err(_) => false,
        }
    }
}

/// Runs on a clock that jumps to whatever is next.
fn paused<F: Future>(test: impl FnOnce() -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async { test().await })
}

async fn pass(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

#[test]
fn every_code_means_what_the_protocol_says() {
    use Code::*;
    let again = [Cancelled, DeadlineExceeded, Aborted, OutOfRange, Unavailable, DataLoss];
    let held = [Unauthenticated, PermissionDenied, NotFound, Unimplemented];
    let lost = [Unknown, InvalidArgument, AlreadyExists, ResourceExhausted, FailedPrecondition, Internal];
    assert_eq!(again.len() + held.len() + lost.len(), 16, "every code but ok");
    for code in (1..17).map(Code::from) {
        paused(|| async {
            let start = Instant::now();
            let first_ten = Duration::from_secs(10);
            let peer = MadeUp::new(move |now, _| match now - start < first_ten {
                true => Answer::Refuses(code, None),
                false => Answer::Takes,
            });
            let sending = Sending::start(peer.clone(), 1, Duration::ZERO, 1 << 20);
            assert!(sending.push(10));
            pass(150.0).await;
            let (counts, times) = (sending.counters.read(), peer.times());
            let told = (counts.sent, counts.dropped.of(Drop::PeerRefused), counts.dropped.of(Drop::TooLongForPeer));
            if again.contains(&code) {
                assert_eq!(told, (1, 0, 0), "{code:?}");
                assert!(times.len() > 1);
            } else if held.contains(&code) {
                assert_eq!(told, (1, 0, 0), "{code:?}");
                assert_eq!((times.len(), (times[1] - times[0]).as_secs()), (2, 60), "asked once a minute");
            } else {
                assert_eq!((told, times.len()), ((0, 1, 0), 1), "{code:?}");
            }
        });
    }
}

#[test]
fn a_wait_that_the_peer_asks_for_is_a_lower_bound_and_full_jitter_lies_above_it() {
    let asked = Duration::from_secs(20);
    let mut waits = Vec::new();
    for _ in 0..20 {
        paused(|| async {
            let peer = MadeUp::new(move |_, _| Answer::Refuses(Code::ResourceExhausted, Some(asked)));
            let sending = Sending::start(peer.clone(), 1, Duration::ZERO, 1 << 20);
            sending.push(10);
            pass(100.0).await;
            waits.extend(peer.times().windows(2).map(|pair| pair[1] - pair[0]));
        });
    }
    assert!(waits.iter().all(|wait| *wait >= asked));
    let jitter: std::collections::BTreeSet<_> = waits.iter().map(|wait| (*wait - asked).as_millis() / 50).collect();
    assert!(jitter.len() > 10, "they differ: {jitter:?}");
}

#[test]
fn what_is_too_long_for_the_peer_is_halved_and_one_span_alone_is_set_aside() {
    for code in [Code::ResourceExhausted, Code::OutOfRange] {
        paused(|| async {
            let peer = MadeUp::new(move |_, bytes| match bytes > 3000 {
                true => Answer::IsTooSmall(code),
                false => Answer::Takes,
            });
            let sending = Sending::start(peer.clone(), 100, Duration::from_millis(10), 1 << 20);
            (0..99).for_each(|n| assert!(sending.push(if n == 40 { 5000 } else { 200 })));
            pass(5.0).await;
            let counts = sending.counters.read();
            assert_eq!((counts.sent, counts.dropped.of(Drop::TooLongForPeer)), (98, 1), "{code:?}");
            assert_eq!(sending.outbox.waiting(), 0);
        });
    }
}

#[test]
fn a_quota_that_is_used_up_refuses_a_batch_once_and_nothing_of_it_is_asked_for_again() {
    paused(|| async {
        let peer = MadeUp::new(|_, _| Answer::Refuses(Code::ResourceExhausted, None));
        let sending = Sending::start(peer.clone(), 100, Duration::from_millis(10), 1 << 20);
        (0..100).for_each(|_| assert!(sending.push(200)));
        pass(5.0).await;
        assert_eq!((sending.counters.read().dropped.of(Drop::PeerRefused), peer.times().len()), (100, 1));
    });
}

#[test]
fn a_refusal_without_a_word_may_be_for_the_length_until_a_batch_of_that_length_was_taken() {
    paused(|| async {
        let start = Instant::now();
        let full = Duration::from_secs(60);
        let peer = MadeUp::new(move |now, bytes| match bytes > 250_000 || now - start > full {
            true => Answer::Refuses(Code::ResourceExhausted, None),
            false => Answer::Takes,
        });
        let sending = Sending::start(peer.clone(), 40, Duration::from_secs(1), 4 << 20);
        (0..40).for_each(|_| assert!(sending.push(10_000)));
        pass(30.0).await;
        assert_eq!((sending.counters.read().sent, peer.times().len()), (40, 3), "one, and its halves");
        pass(60.0).await;
        (0..16).for_each(|_| assert!(sending.push(10_000)));
        pass(30.0).await;
        let counts = sending.counters.read();
        assert_eq!((counts.sent, counts.dropped.of(Drop::PeerRefused)), (40, 16));
        assert_eq!(peer.times().len(), 4, "so many bytes were taken before: it is not their number");
    });
}

#[test]
fn ten_minutes_at_full_load_without_an_answer_take_no_more_memory_than_the_bound() {
    let bound = 16 << 20;
    let taken = allocation_counter::measure(|| ten_minutes_without_an_answer(bound));
    // Besides what waits: a batch that fills and one that is sent, and what the test writes down of each request.
    let besides = 4 << 20;
    assert!(taken.bytes_max <= bound as u64 + besides, "{} bytes at once", taken.bytes_max);
}

fn ten_minutes_without_an_answer(bound: usize) {
    paused(|| async {
        let peer = MadeUp::new(|_, _| Answer::Stalls);
        let sending = Sending::start(peer.clone(), 512, Duration::from_secs(1), bound);
        let (mut taken, mut refused) = (0u64, 0u64);
        for _ in 0..6000 {
            for _ in 0..100 {
                if sending.push(1000) { taken += 1 } else { refused += 1 }
            }
            pass(0.1).await;
            assert!(sending.outbox.backlog_bytes() <= bound as u64);
        }
        assert!(taken * 1000 <= bound as u64 && taken > 10_000 && refused > 500_000, "{taken} {refused}");
        let record = peer.record.lock().unwrap();
        assert_eq!(record.most_in_flight, 1, "one request at a time");
        assert!(record.connections >= record.requests.len() - 1, "where nothing is answered, it is dialled anew");
    });
}

#[test]
fn after_an_outage_there_is_one_request_at_a_time_and_then_more() {
    paused(|| async {
        let start = Instant::now();
        let back = Duration::from_secs(30);
        let mut peer = MadeUp::new(move |now, _| match now - start < back {
            true => Answer::Refuses(Code::Unavailable, None),
            false => Answer::Takes,
        });
        peer.latency = Duration::from_millis(200);
        let sending = Sending::start(peer.clone(), 1, Duration::ZERO, 1 << 20);
        (0..50).for_each(|_| assert!(sending.push(10)));
        pass(29.9).await;
        assert_eq!(peer.record.lock().unwrap().most_in_flight, 1);
        // Whoever flushes waits for no pace.
        sending.outbox.hurry(false);
        sending.shared.wake.notify_one();
        pass(40.0).await;
        assert_eq!(sending.counters.read().sent, 50);
        assert_eq!(peer.record.lock().unwrap().most_in_flight, 4);
    });
}

/// What comes after an outage of ten minutes to a receiver of thirty exporters, each of which records so many bytes at once and
/// four times a second: in any ten seconds no more than twice what they record, and in the end everything.
async fn no_herd<Q: Queue + 'static>(start: impl Fn(MadeUp, usize) -> Sending<Q>, record: impl Fn(&Sending<Q>)) {
    const EXPORTERS: usize = 30;
    const ROUNDS: u64 = 1700 * 4;
    let begun = Instant::now();
    let outage = Duration::from_secs(60)..Duration::from_secs(660);
    let until = outage.end;
    let peer = MadeUp::new(move |now, _| match outage.contains(&(now - begun)) {
        true => Answer::Refuses(Code::Unavailable, None),
        false => Answer::Takes,
    });
    let exporters: Vec<_> = (0..EXPORTERS).map(|number| start(peer.clone(), number)).collect();
    for _ in 0..ROUNDS {
        exporters.iter().for_each(&record);
        pass(0.25).await;
    }
    let steady = (EXPORTERS * AT_ONCE * 4) as f64;
    let taken: Vec<(Instant, usize)> = {
        let record = peer.record.lock().unwrap();
        record.requests.iter().copied().filter(|(at, _)| *at - begun >= until).collect()
    };
    // In any ten seconds after the outage.
    for from in 0..600 {
        let window = begun + until + Duration::from_secs(from)..begun + until + Duration::from_secs(from + 10);
        let bytes: usize = taken.iter().filter(|(at, _)| window.contains(at)).map(|(_, bytes)| bytes).sum();
        assert!(bytes as f64 / 10.0 <= 2.0 * steady, "{from}: {} of {steady}", bytes as f64 / 10.0);
    }
    // What came during the outage has left: no more waits than was recorded in five seconds.
    let left: usize = exporters.iter().map(|exporter| exporter.outbox.backlog_bytes() as usize).sum();
    assert!(left < EXPORTERS * AT_ONCE * 20, "{left} bytes are left");
    for exporter in &exporters {
        let counts = exporter.counters.read();
        assert_eq!(counts.dropped.calls(), 0);
        assert!(counts.sent > 0 && counts.retries > 0, "it was there before, and tried again");
    }
}

/// What an exporter of those records at once, in bytes.
const AT_ONCE: usize = 2500;

#[test]
fn thirty_exporters_after_an_outage_are_no_herd() {
    let start = |peer, _| Sending::start(peer, 64, Duration::from_secs(1), 64 << 20);
    let record = |sending: &Sending| (0..5).for_each(|_| assert!(sending.push(AT_ONCE / 5)));
    paused(|| no_herd(start, record));
}

#[cfg(unix)]
#[test]
fn thirty_exporters_with_a_spool_after_an_outage_are_no_herd() {
    use crate::event::{ProducerId, SystemClock};
    use crate::export::spool::{Fsync, Plan, Spool};

    let folder = tempfile::tempdir().unwrap();
    let start = |peer, number: usize| {
        let (counters, clock) = (Arc::new(Counters::default()), Arc::new(SystemClock::default()));
        let folder = folder.path().join(number.to_string());
        let plan = Plan { folder: &folder, bytes: 64 << 20, fsync: Fsync::Os };
        // More than its memory holds of what has just been written: the rest is read from the disk.
        let limits = limits(13, Duration::from_secs(1), 256 << 10);
        let producer = ProducerId::generate(number as u64);
        let spool = Spool::open(&plan, limits, &NOBODY, producer, clock, Arc::clone(&counters)).unwrap();
        Sending::from(spool, peer, counters)
    };
    let next = std::cell::Cell::new(0);
    let record = |sending: &Sending<Spool>| {
        let id = next.replace(next.get() + 1);
        let is_due = sending.outbox.close_call(id, &field(AT_ONCE), Rank::Completed).unwrap();
        let (is_written, is_first) = sending.outbox.commit();
        assert!(is_written);
        if is_due || is_first {
            sending.shared.wake.notify_one();
        }
    };
    paused(|| no_herd(start, record));
}
