//! One request through the pipeline.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tonic::{Code, Status};

use super::output::Output;
use super::reduction::Reduction;
use crate::event::Clock;
use crate::otlp::assemble::{Patches, patched};
use crate::otlp::{ExportError, Handler, Look, Reply, Request, Segments, refusal};
use crate::processor::privacy::Privacy;

/// A pipeline at work.
pub(super) struct Forward {
    pub(super) privacy: Option<Privacy>,
    pub(super) reduction: Option<Reduction>,
    pub(super) output: Output,
    pub(super) clock: Arc<dyn Clock>,
    /// Spans that were refused because they cannot be read.
    pub(super) refused: AtomicU64,
}

/// How long a peer is asked to wait while memory is short.
const PRESSURE_WAIT: Duration = Duration::from_secs(1);

impl Handler for Forward {
    async fn export(&self, body: Bytes) -> Result<Reply, Status> {
        if self.reduction.as_ref().is_some_and(Reduction::must_refuse) {
            return Err(refusal(Code::ResourceExhausted, "the stage is short of memory", Some(PRESSURE_WAIT)));
        }
        // Without a processor that reads spans there is no need to look into them.
        let look = if self.privacy.is_some() { Look::Inside } else { Look::Outside };
        let request = parse(body, look)?;
        let (request, mut refused) = match &self.privacy {
            Some(privacy) => {
                let patches = privacy.request(&request);
                self.apply(request, patches)?
            }
            None => (request, 0),
        };
        let rejected = match self.output.forward(whole(&request)).await {
            Err(error) if look == Look::Outside && is_about_the_content(&error) => {
                // One unreadable span makes a receiver refuse all of them: send the others alone.
                let request = parse(request.bytes().clone(), Look::Inside)?;
                let (patches, malformed) = Patches::without_malformed(&request);
                if malformed == 0 {
                    return Err(answer_of(&error));
                }
                refused += malformed as u64;
                self.output.forward(patched(&request, &patches)).await
            }
            answer => answer,
        };
        let rejected = rejected.map_err(|error| answer_of(&error))?;
        if let Some(reduction) = &self.reduction {
            reduction.absorb(&request, self.clock.unix_nanos(), &self.output);
        }
        self.refused.fetch_add(refused, Ordering::Relaxed);
        let rejected = i64::try_from(rejected.saturating_add(refused)).unwrap_or(i64::MAX);
        let reason = if refused > 0 { "spans that cannot be read" } else { "refused by the next hop" };
        Ok(Reply { rejected, reason })
    }
}

impl Forward {
    /// The request as the patches change it, and how many of its spans they refuse.
    fn apply(&self, request: Request, patches: Patches) -> Result<(Request, u64), Status> {
        if patches.is_empty() {
            return Ok((request, 0));
        }
        let changed = patched(&request, &patches).into_bytes();
        let before = request.span_count();
        let request = parse(changed, Look::Outside)?;
        let refused = before.saturating_sub(request.span_count());
        Ok((request, refused as u64))
    }
}

fn parse(body: Bytes, look: Look) -> Result<Request, Status> {
    Ok(Request::parse(body, look)?)
}

fn whole(request: &Request) -> Segments {
    let mut segments = Segments::with_capacity(1);
    segments.push(request.bytes().clone());
    segments
}

/// Whether the next hop may have refused the request because of a single span in it.
fn is_about_the_content(error: &ExportError) -> bool {
    error.answered() && matches!(error.code(), Code::InvalidArgument | Code::Internal | Code::Unknown)
}

/// The answer above for an answer below. The peer's words stay there: they may quote what it was sent.
fn answer_of(error: &ExportError) -> Status {
    refusal(error.code(), "the next hop did not take the request", error.retry_after())
}
