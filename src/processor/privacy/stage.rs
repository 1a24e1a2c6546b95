//! A request on its way through.

use std::borrow::Cow;
use std::fmt;
use std::time::Instant;

use bytes::Bytes;

use super::genai::{is_genai, is_genai_scope};
use super::looked::{Left, look};
use super::loose;
use super::seen::Seen;
use super::veil::{MessageVeil, Veiling};
use crate::otlp::assemble::{Envelope, Patch, Patches};
use crate::otlp::wire::Malformed;
use crate::otlp::{Form, Request, ResourceSpans, ScopeSpans, SpanEntry};
use crate::privacy::{PayloadCounts, Policy, VeilCounts};

/// Applies a [`Policy`] to requests. Each request is taken for itself, so one may serve many threads.
pub struct Privacy {
    veil: MessageVeil,
}

impl Privacy {
    /// The stage of this policy.
    pub fn new(policy: Policy) -> Self {
        Self { veil: MessageVeil::new(policy) }
    }

    /// The policy that it applies.
    pub fn policy(&self) -> Policy {
        self.veil.policy()
    }

    /// From now on it applies this one; waits for the requests in its hands. A stage has no open calls: a laxer policy holds
    /// at once as a stricter one does.
    pub fn set_policy(&self, policy: Policy) {
        self.veil.set_policy(policy);
    }

    /// What became of contents that are kept whole (`VEILSPAN_PAYLOADS`), under the present policy's folder.
    pub fn payload_counts(&self) -> PayloadCounts {
        self.veil.payload_counts()
    }

    /// Waits until what was taken to be kept is kept, until `deadline` at the latest, and says whether nothing waits.
    pub(crate) fn flush(&self, deadline: Instant) -> bool {
        self.veil.flush(deadline)
    }

    /// What it has changed so far.
    pub fn counts(&self) -> VeilCounts {
        self.veil.counts()
    }

    /// What has to become of a request so that it may leave. It costs no less where the request was looked into before.
    ///
    /// A span that no receiver would read is refused: it is dropped, and nothing else. So are the spans of a resource or
    /// of a scope that none would read.
    pub fn request(&self, request: &Request) -> Patches {
        let (veiling, seen) = (self.veil.begin(), Seen::default());
        let mut pass = Pass { veiling: &veiling, seen: &seen, patches: Patches::default() };
        request.resources().for_each(|resource| pass.resource_spans(&resource, request.envelope_is_canonical()));
        pass.patches
    }
}

/// One request.
struct Pass<'r, 'v> {
    veiling: &'r Veiling<'v>,
    seen: &'r Seen<'r>,
    patches: Patches,
}

impl<'r> Pass<'r, '_> {
    fn resource_spans(&mut self, resource: &ResourceSpans<'r>, envelope_is_canonical: bool) {
        if resource.form() == Form::Malformed {
            self.patches.resource(resource.place(), Patch::Drop);
        } else if self.spans(resource) {
            self.patches.resource(resource.place(), self.resource(resource));
            for scope in resource.scopes().filter(|scope| scope.form() != Form::Malformed) {
                self.patches.scope(scope.place(), self.scope(&scope));
            }
            // What stands around the spans is no more than schema URLs and fields that nobody knows.
            if !envelope_is_canonical || !self.has_safe_schema_urls(resource) {
                self.patches.envelope_of(resource.place(), Envelope::Bare);
            }
        }
    }

    /// Patches the spans of a resource, and tells whether there are GenAI spans among them.
    fn spans(&mut self, resource: &ResourceSpans<'r>) -> bool {
        let mut has_genai = false;
        for scope in resource.scopes() {
            if scope.form() == Form::Malformed {
                self.patches.scope(scope.place(), Patch::Drop);
                continue;
            }
            let is_all_genai = is_genai_scope(&scope.scope());
            for span in scope.spans() {
                if is_all_genai || is_genai(span.as_slice()) {
                    has_genai = true;
                    self.patches.span(span.place(), self.span(&span));
                } else if span.form() == Form::Malformed {
                    self.patches.span(span.place(), Patch::Drop);
                }
            }
        }
        has_genai
    }

    fn has_safe_schema_urls(&self, resource: &ResourceSpans<'_>) -> bool {
        let is_safe = |url: &str| self.veiling.stays(url);
        is_safe(resource.schema_url()) && resource.scopes().all(|scope| is_safe(scope.schema_url()))
    }

    fn span(&self, entry: &SpanEntry<'r>) -> Patch {
        let bytes = entry.as_slice();
        let mut left = Left::new();
        let form = look(bytes, self.seen, &mut left);
        match loose::span(form, bytes) {
            Some(Cow::Borrowed(_)) if left.is_empty() => Patch::Keep,
            Some(Cow::Borrowed(bytes)) => {
                patch(Cow::Borrowed(bytes), self.veiling.left_of_span(bytes, &left, self.seen))
            }
            Some(Cow::Owned(rewritten)) => {
                let veiled = self.veiling.span(&rewritten);
                patch(Cow::Owned(rewritten), veiled)
            }
            None => Patch::Drop,
        }
    }

    fn resource(&self, entry: &ResourceSpans<'_>) -> Patch {
        let Some(bytes) = loose::resource(entry.form(), entry.resource()) else { return Patch::Drop };
        let veiled = self.veiling.resource(&bytes);
        patch(bytes, veiled)
    }

    fn scope(&self, entry: &ScopeSpans<'_>) -> Patch {
        let Some(bytes) = loose::scope(entry.form(), entry.scope()) else { return Patch::Drop };
        let veiled = self.veiling.scope(&bytes);
        patch(bytes, veiled)
    }
}

/// What becomes of a message in canonical bytes, which was veiled.
fn patch(bytes: Cow<'_, [u8]>, veiled: Result<Option<Vec<u8>>, Malformed>) -> Patch {
    match (veiled, bytes) {
        (Ok(Some(veiled)), _) => Patch::Replace(Bytes::from(veiled)),
        (Ok(None), Cow::Owned(rewritten)) => Patch::Replace(Bytes::from(rewritten)),
        (Ok(None), Cow::Borrowed(_)) => Patch::Keep,
        // Not reached with canonical bytes; what cannot be read does not leave.
        (Err(Malformed), _) => Patch::Drop,
    }
}

impl fmt::Debug for Privacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Privacy").field("policy", &self.policy()).finish_non_exhaustive()
    }
}
