//! The comparison, in whichever allocator the benchmark was built with.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tonic::transport::{Channel, Endpoint};
use veilspan::collector::Processor;

use super::forward;
use super::payload::{self, Content};
use super::support::child::Child;
use super::support::raw::send;
use super::support::table::{Rounds, header, line};
use super::support::{arguments, sink};

const OURS: &str = "ours";
const OURS_WITH_PRIVACY: &str = "ours-with-privacy";
const OURS_WITH_REDUCE: &str = "ours-with-reduce";
const PROST: &str = "prost";
const BYTES_ONLY: &str = "bytes-only";

/// The whole benchmark, or the process that it has started itself as.
pub fn main(allocator: &str) {
    let Some((mode, arguments)) = arguments::mode() else { return compare(allocator, arguments::rounds(11)) };
    let next = arguments.first().map_or("", String::as_str);
    match mode.as_str() {
        sink::MODE => sink::run(),
        OURS => forward::ours(next, Vec::new()),
        OURS_WITH_PRIVACY => forward::ours(next, vec![Processor::Privacy]),
        OURS_WITH_REDUCE => forward::ours(next, vec![Processor::Reduce]),
        PROST => forward::prost(next),
        BYTES_ONLY => forward::bytes_only(next),
        unknown => panic!("no mode {unknown}"),
    }
}

const CONNECTIONS: usize = 4;

struct Forwarder {
    child: Child,
    channels: Vec<Channel>,
    cost: [Rounds; 3],
}

impl Forwarder {
    fn start(mode: &str, sink: &Child) -> Self {
        let child = Child::start(mode, &[sink.url()]);
        let connect = || Endpoint::from_shared(child.url()).unwrap().tcp_nodelay(true).connect_lazy();
        let channels = (0..CONNECTIONS).map(|_| connect()).collect();
        Self { child, channels, cost: Default::default() }
    }

    /// Sends so many requests and gives back what each million of their spans cost. Panics where one was lost.
    async fn send(&mut self, requests: &[Bytes], count: usize, sink: &mut Child) -> f64 {
        let (arrived, spent) = (sink.report().spans, self.child.report().cpu);
        let left = Arc::new(AtomicUsize::new(count));
        let connections: Vec<_> = self
            .channels
            .iter()
            .cloned()
            .map(|channel| {
                let (left, requests) = (Arc::clone(&left), requests.to_vec());
                tokio::spawn(async move {
                    let next = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
                    while let Ok(number) = next() {
                        let request = &requests[number % requests.len()];
                        send(&channel, request.clone()).await.expect("an answer");
                    }
                })
            })
            .collect();
        for connection in connections {
            connection.await.unwrap();
        }
        let spans = count as u64 * payload::SPANS;
        // Reduction adds some of its own.
        assert!(sink.report().spans - arrived >= spans, "spans were lost");
        (self.child.report().cpu - spent) as f64 / 1e9 / (spans as f64 / 1e6)
    }

    /// The most memory that it has had, in MiB.
    fn peak(&mut self) -> f64 {
        self.child.report().peak as f64 / f64::from(1 << 20)
    }
}

/// Requests of a round: what takes about a quarter of a second.
const REQUESTS: [usize; 3] = [400, 48, 48];
/// What the requests hold, for `--only`.
const CONTENTS: [&str; 3] = ["none", "text", "messages"];
/// Requests of a round of runs, each another one.
const RUNS: usize = 128;

fn compare(allocator: &str, rounds: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut sink = Child::start(sink::MODE, &[]);
        let mut forwarders = [OURS, OURS_WITH_PRIVACY, PROST, BYTES_ONLY].map(|mode| Forwarder::start(mode, &sink));
        let payloads = [Content::None, Content::Text, Content::Messages].map(payload::request);
        let only = arguments::named("--only");
        let is_wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
        header(&format!("pass_through in {allocator}, CPU seconds for a million spans, MiB at the peak"), rounds);
        for round in 0..=rounds {
            for (place, (payload, requests)) in payloads.iter().zip(REQUESTS).enumerate() {
                if !is_wanted(CONTENTS[place]) {
                    continue;
                }
                for forwarder in &mut forwarders {
                    let cost = forwarder.send(std::slice::from_ref(payload), requests, &mut sink).await;
                    // The first round warms up.
                    if round > 0 {
                        forwarder.cost[place].push(cost);
                    }
                }
            }
        }
        let mut reducing = Forwarder::start(OURS_WITH_REDUCE, &sink);
        let [mut reduced, mut decoded] = [Rounds::default(), Rounds::default()];
        for round in (0..=rounds).filter(|_| is_wanted("reduce")) {
            // Runs that the reducer has not seen, and that the others have not either.
            let runs: Vec<Bytes> = (0..RUNS).map(|number| payload::runs((round * RUNS + number) as u64)).collect();
            let costs = [reducing.send(&runs, RUNS, &mut sink).await, forwarders[2].send(&runs, RUNS, &mut sink).await];
            if round > 0 {
                reduced.push(costs[0]);
                decoded.push(costs[1]);
            }
        }
        let reducing_peak = vec![reducing.peak()];
        let peaks = forwarders.each_mut().map(|forwarder| vec![forwarder.peak()]);
        let [ours, privacy, prost, bytes] = forwarders.map(|forwarder| forwarder.cost);
        let row = |name: &str, ours: &Rounds, peer: &Rounds, target| {
            if !ours.is_empty() {
                line(name, ours, peer, target);
            }
        };
        row("reduce, runs of sixteen calls / prost", &reduced, &decoded, Some(1.1));
        row("pass_through c / prost", &ours[0], &prost[0], Some(0.22));
        row("pass_through c / bytes only", &ours[0], &bytes[0], Some(1.15));
        row("pass_through d / prost", &ours[1], &prost[1], None);
        row("pass_through d / bytes only", &ours[1], &bytes[1], Some(1.15));
        row("privacy, nothing to change / prost", &privacy[0], &prost[0], Some(0.40));
        row("privacy, nothing to change / bytes only", &privacy[0], &bytes[0], Some(2.1));
        row("privacy digesting 6 KiB of text / prost, which digests nothing", &privacy[1], &prost[1], Some(1.0));
        row("privacy digesting 6 KiB of messages / prost, which digests nothing", &privacy[2], &prost[2], Some(1.3));
        let [ours, privacy, prost, bytes] = &peaks;
        line("memory at the peak, pass_through / prost", ours, prost, None);
        line("memory at the peak, pass_through / bytes only", ours, bytes, None);
        line("memory at the peak, privacy / prost", privacy, prost, None);
        if !reduced.is_empty() {
            line("memory at the peak, reduce / prost", &reducing_peak, prost, None);
        }
    });
}
