//! A request on its way through.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::options::DialectOptions;
use super::rewrite;
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
}

/// What a [`Dialect`] has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DialectCounts {
    /// Spans that left in another form.
    pub translated: u64,
    /// Spans that got a rollout.
    pub stamped: u64,
}

impl Dialect {
    /// One with these options.
    pub fn new(options: DialectOptions) -> Self {
        let (translated, stamped) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { options, encoder: Encoder::default(), translated, stamped }
    }

    /// What it has done so far.
    pub fn counts(&self) -> DialectCounts {
        DialectCounts {
            translated: self.translated.load(Ordering::Relaxed),
            stamped: self.stamped.load(Ordering::Relaxed),
        }
    }

    /// What has to become of a request. Nothing is ever refused.
    pub fn request(&self, request: &Request) -> Patches {
        let mut patches = Patches::default();
        for scope in request.resources().flat_map(|resource| resource.scopes()) {
            let is_all_genai = is_genai_scope(&scope.scope());
            for span in scope.spans() {
                if is_all_genai || is_genai(span.as_slice()) {
                    patches.span(span.place(), self.span(span.as_slice()));
                }
            }
        }
        patches
    }

    fn span(&self, bytes: &[u8]) -> Patch {
        let Some(rewritten) = rewrite::span(&self.options, &self.encoder, bytes) else { return Patch::Keep };
        self.translated.fetch_add(1, Ordering::Relaxed);
        self.stamped.fetch_add(u64::from(rewritten.is_stamped), Ordering::Relaxed);
        Patch::Replace(Bytes::from(rewritten.bytes))
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialect").field("options", &self.options).finish_non_exhaustive()
    }
}
