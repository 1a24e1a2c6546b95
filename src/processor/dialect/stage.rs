//! A request on its way through.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::options::DialectOptions;
use super::rewrite::{self, Stamped};
use crate::event::TraceId;
use crate::otlp::Request;
use crate::otlp::assemble::{Patch, Patches};
use crate::otlp::encode::Encoder;
use crate::processor::privacy::{is_genai, is_genai_scope};

/// Tells GenAI spans of other dialects under the conventions' names. Each span is taken for itself, so one may serve many
/// threads.
pub struct Dialect {
    options: DialectOptions,
    encoder: Encoder,
    translated: AtomicU64,
    stamped: AtomicU64,
    split: AtomicU64,
}

/// What a [`Dialect`] has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DialectCounts {
    /// Spans that left in another form.
    pub translated: u64,
    /// Spans that got a rollout.
    pub stamped: u64,
    /// Those of them that got their trace for one, while another span of that trace in the same request names a run: the
    /// trace is torn apart, because its spans do not all say where they belong.
    pub split: u64,
}

impl Dialect {
    /// One with these options.
    pub fn new(options: DialectOptions) -> Self {
        let [translated, stamped, split] = [(); 3].map(|()| AtomicU64::new(0));
        Self { options, encoder: Encoder::default(), translated, stamped, split }
    }

    /// What it has done so far.
    pub fn counts(&self) -> DialectCounts {
        DialectCounts {
            translated: self.translated.load(Ordering::Relaxed),
            stamped: self.stamped.load(Ordering::Relaxed),
            split: self.split.load(Ordering::Relaxed),
        }
    }

    /// What has to become of a request. Nothing is ever refused.
    pub fn request(&self, request: &Request) -> Patches {
        let (mut patches, mut traces) = (Patches::default(), Traces::default());
        for scope in request.resources().flat_map(|resource| resource.scopes()) {
            let is_all_genai = is_genai_scope(&scope.scope());
            for span in scope.spans() {
                if is_all_genai || is_genai(span.as_slice()) {
                    patches.span(span.place(), self.span(span.as_slice(), &mut traces));
                }
            }
        }
        self.split.fetch_add(traces.split(), Ordering::Relaxed);
        patches
    }

    fn span(&self, bytes: &[u8], traces: &mut Traces) -> Patch {
        let Some(rewritten) = rewrite::span(&self.options, &self.encoder, bytes) else { return Patch::Keep };
        self.translated.fetch_add(1, Ordering::Relaxed);
        if let Some(stamped) = rewritten.stamped {
            self.stamped.fetch_add(1, Ordering::Relaxed);
            traces.add(stamped);
        }
        Patch::Replace(Bytes::from(rewritten.bytes))
    }
}

/// The traces of one request whose spans got a rollout: whether one of them names it, and how many do not.
#[derive(Default)]
struct Traces(HashMap<TraceId, (bool, u64)>);

impl Traces {
    fn add(&mut self, stamped: Stamped) {
        match stamped {
            Stamped::Attribute(trace) => self.0.entry(trace).or_default().0 = true,
            Stamped::Trace(trace) => self.0.entry(trace).or_default().1 += 1,
        }
    }

    fn split(&self) -> u64 {
        self.0.values().filter(|(is_named, _)| *is_named).map(|(_, unnamed)| unnamed).sum()
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialect").field("options", &self.options).finish_non_exhaustive()
    }
}
