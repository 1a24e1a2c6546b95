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
    /// Whether spans that are no GenAI spans get the whole policy, too.
    of_all: bool,
}

impl Privacy {
    /// The stage of this policy.
    pub fn new(policy: Policy) -> Self {
        Self { veil: MessageVeil::new(policy), of_all: false }
    }

    /// Whether all spans get the whole policy, or GenAI spans alone and the others the detectors on their texts.
    #[must_use]
    pub const fn of_all_spans(mut self, of_all: bool) -> Self {
        self.of_all = of_all;
        self
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
        let (veiling, seen, others) = (self.veil.begin(), Seen::default(), Seen::default());
        let patches = Patches::default();
        let mut pass = Pass { veiling: &veiling, of_all: self.of_all, seen: &seen, others: &others, patches };
        request.resources().for_each(|resource| pass.resource_spans(&resource, request.envelope_is_canonical()));
        pass.patches
    }
}

/// One request.
struct Pass<'r, 'v> {
    veiling: &'r Veiling<'v>,
    of_all: bool,
    seen: &'r Seen<'r>,
    /// What was seen on spans that are no GenAI spans: there it stays for another reason.
    others: &'r Seen<'r>,
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
            let is_all_genai = self.of_all || is_genai_scope(&scope.scope());
            for span in scope.spans() {
                if is_all_genai || is_genai(span.as_slice()) {
                    has_genai = true;
                    self.patches.span(span.place(), self.span(&span));
                } else {
                    self.patches.span(span.place(), self.other_span(&span));
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
                patch(Cow::Borrowed(bytes), self.veiling.left_of_span(bytes, left, self.seen))
            }
            Some(Cow::Owned(rewritten)) => {
                let veiled = self.veiling.span(&rewritten);
                patch(Cow::Owned(rewritten), veiled)
            }
            None => Patch::Drop,
        }
    }

    /// What no detector hits keeps its bytes, however they are written.
    fn other_span(&self, entry: &SpanEntry<'r>) -> Patch {
        let Some(bytes) = loose::other_span(entry.form(), entry.as_slice()) else { return Patch::Drop };
        let masked = match &bytes {
            Cow::Borrowed(bytes) => self.veiling.other_span(bytes, Some(self.others)),
            Cow::Owned(rewritten) => self.veiling.other_span(rewritten, None),
        };
        match masked {
            Ok(Some(masked)) => Patch::Replace(Bytes::from(masked)),
            Ok(None) => Patch::Keep,
            Err(Malformed) => Patch::Drop,
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
