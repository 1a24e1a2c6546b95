//! One request through the pipeline.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tonic::{Code, Status};

use super::following::Following;
use super::output::Output;
use crate::event::Clock;
use crate::otlp::assemble::{Patches, patched};
use crate::otlp::{Handler, Look, Reply, Request, Segments, heavy, refusal};
use crate::processor::dialect::Dialect;
use crate::processor::privacy::Privacy;

/// A pipeline at work.
pub(super) struct Forward {
    pub(super) name: String,
    pub(super) privacy: Option<Privacy>,
    pub(super) dialect: Option<Dialect>,
    /// Whether reduction sees what the dialects have been made of, which else happens behind it.
    pub(super) reduces_translated: bool,
    pub(super) following: Option<Following>,
    pub(super) output: Output,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) tally: Tally,
}

/// Counted for metrics.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Spans of requests that were answered with success.
    pub(super) spans: AtomicU64,
    /// Spans that were refused because they cannot be read.
    pub(super) unreadable_spans: AtomicU64,
    /// Spans that an exporter refused for good.
    pub(super) rejected_spans: AtomicU64,
    /// Requests that are not OTLP.
    pub(super) unreadable_requests: AtomicU64,
    /// Requests that were refused for want of memory.
    pub(super) pressed_requests: AtomicU64,
    /// Requests that could not be written into the input log.
    pub(super) unwritten_requests: AtomicU64,
    /// Requests that an exporter did not take.
    pub(super) failed_requests: AtomicU64,
}

/// A request that has been through the steps.
struct Passed {
    request: Request,
    /// What reduction sees, where that is not the same.
    reduced: Option<Request>,
    /// How many spans were taken out because they cannot be read.
    unreadable: u64,
}

/// How long a peer is asked to wait while memory is short.
const PRESSURE_WAIT: Duration = Duration::from_secs(1);

impl Handler for Forward {
    async fn export(&self, body: Bytes) -> Result<Reply, Status> {
        if self.following.as_ref().is_some_and(Following::must_refuse) {
            add(&self.tally.pressed_requests, 1);
            return Err(refusal(Code::ResourceExhausted, "the stage is short of memory", Some(PRESSURE_WAIT)));
        }
        let looks_inside = self.privacy.is_some();
        // Where nobody looks inside, all there is to do is to find the spans.
        let weight = if looks_inside || self.dialect.is_some() { body.len() } else { body.len() / 8 };
        let Passed { request, reduced, mut unreadable } = heavy(weight, || self.pass(body))?;
        let spans = request.span_count() as u64;
        let rejected = match self.output.forward(whole(&request), spans).await {
            Err(refused) if !looks_inside && refused.is_about_the_content() => {
                // One unreadable span makes a receiver refuse all of them: send the others alone.
                let request = self.parse(request.bytes().clone(), Look::Inside)?;
                let (patches, malformed) = Patches::without_malformed(&request);
                if malformed == 0 {
                    Err(refused)
                } else {
                    unreadable += malformed as u64;
                    self.output.forward(patched(&request, &patches), spans.saturating_sub(malformed as u64)).await
                }
            }
            answer => answer,
        };
        let rejected = rejected.map_err(|refused| {
            add(&self.tally.failed_requests, 1);
            refused.answer()
        })?;
        if let Some(following) = &self.following {
            let now = self.clock.unix_nanos();
            let reduced = reduced.as_ref().unwrap_or(&request);
            let absorbed = heavy(reduced.bytes().len(), || following.absorb(reduced, now, &self.output));
            if absorbed.is_err() {
                // The next hop has it; it gets it again, under the same ids.
                add(&self.tally.unwritten_requests, 1);
                return Err(refusal(Code::Unavailable, "the stage cannot write its log", Some(PRESSURE_WAIT)));
            }
        }
        add(&self.tally.spans, spans);
        add(&self.tally.unreadable_spans, unreadable);
        add(&self.tally.rejected_spans, rejected);
        let reason = match (unreadable, rejected) {
            (0, 0) => "",
            (0, _) => "refused by the next hop",
            _ => "spans that cannot be read",
        };
        Ok(Reply { rejected: i64::try_from(rejected.saturating_add(unreadable)).unwrap_or(i64::MAX), reason })
    }
}

impl Forward {
    /// The request through all steps that change it.
    fn pass(&self, body: Bytes) -> Result<Passed, Status> {
        let mut request = self.parse(body, Look::Outside)?;
        let mut unreadable = 0;
        if let Some(privacy) = &self.privacy {
            let patches = privacy.request(&request);
            (request, unreadable) = self.apply(request, patches)?;
        }
        let Some(dialect) = &self.dialect else { return Ok(Passed { request, reduced: None, unreadable }) };
        let patches = dialect.request(&request);
        let is_seen_before = self.following.is_some() && !self.reduces_translated && !patches.is_empty();
        let reduced = is_seen_before.then(|| request.clone());
        let (request, _) = self.apply(request, patches)?;
        Ok(Passed { request, reduced, unreadable })
    }

    /// The request as the patches change it, and how many of its spans they refuse.
    fn apply(&self, request: Request, patches: Patches) -> Result<(Request, u64), Status> {
        if patches.is_empty() {
            return Ok((request, 0));
        }
        let changed = patched(&request, &patches).into_bytes();
        let before = request.span_count();
        let request = self.parse(changed, Look::Outside)?;
        let refused = before.saturating_sub(request.span_count());
        Ok((request, refused as u64))
    }

    fn parse(&self, body: Bytes, look: Look) -> Result<Request, Status> {
        let request = Request::parse(body, look);
        if request.is_err() {
            add(&self.tally.unreadable_requests, 1);
        }
        Ok(request?)
    }
}

fn add(counter: &AtomicU64, count: u64) {
    if count > 0 {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

fn whole(request: &Request) -> Segments {
    let mut segments = Segments::with_capacity(1);
    segments.push(request.bytes().clone());
    segments
}
