//! The policy on the SDK's types.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use opentelemetry::trace::Event;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::SpanData;

use super::attributes::unique;
use super::{decode, encode};
use crate::otlp::wire::Malformed;
use crate::privacy::{PayloadCounts, Policy};
use crate::processor::privacy::{MessageVeil, is_genai_key, is_genai_name};

/// Applies a policy, and counts.
pub(super) struct Redaction {
    veil: MessageVeil,
    spans_refused: AtomicU64,
    spans_unsampled: AtomicU64,
    exports_panicked: AtomicU64,
}

impl Redaction {
    /// How long a disk is waited for where nobody says.
    pub(super) const LONGEST: Duration = Duration::from_secs(5);

    pub(super) fn new(policy: Policy) -> Arc<Self> {
        Arc::new(Self {
            veil: MessageVeil::new(policy),
            spans_refused: AtomicU64::new(0),
            spans_unsampled: AtomicU64::new(0),
            exports_panicked: AtomicU64::new(0),
        })
    }

    pub(super) fn policy(&self) -> Policy {
        self.veil.policy()
    }

    /// Waits until what was taken to be kept is kept.
    pub(super) fn flush(&self, timeout: Duration) -> bool {
        self.veil.flush(Instant::now() + timeout.min(Self::LONGEST))
    }

    /// The span as much as may leave of it. Nothing for one that could not be veiled, which no input is known to cause.
    pub(super) fn span(&self, span: SpanData) -> Option<SpanData> {
        self.span_and_message(span).map(|(span, _)| span)
    }

    /// The same, and the `Span` message of it where it is a GenAI span.
    pub(super) fn span_and_message(&self, mut span: SpanData) -> Option<(SpanData, Option<Vec<u8>>)> {
        if !is_genai(&span) {
            return Some((span, None));
        }
        let veiled = self.veil_span(&mut span);
        if veiled.is_err() {
            self.spans_refused.fetch_add(1, Ordering::Relaxed);
        }
        veiled.ok().map(|message| (span, Some(message)))
    }

    fn veil_span(&self, span: &mut SpanData) -> Result<Vec<u8>, Malformed> {
        unique(&mut span.attributes);
        span.events.events.iter_mut().for_each(|event| unique(&mut event.attributes));
        span.links.links.iter_mut().for_each(|link| unique(&mut link.attributes));
        if let Some(scope) = self.scope(&span.instrumentation_scope)? {
            span.instrumentation_scope = scope;
        }
        let message = encode::span(span);
        let Some(veiled) = self.veil.begin().span(&message)? else { return Ok(message) };
        decode::span(span, &veiled)?;
        Ok(veiled)
    }

    /// Another scope, where not all of this one may leave.
    fn scope(&self, scope: &InstrumentationScope) -> Result<Option<InstrumentationScope>, Malformed> {
        let mut attributes: Vec<KeyValue> = scope.attributes().cloned().collect();
        let count = attributes.len();
        unique(&mut attributes);
        let message = encode::scope(scope, &attributes);
        let veiled = self.veil.begin().scope(&message)?;
        let schema_url = scope.schema_url().filter(|url| self.veil.begin().stays(url));
        if veiled.is_none() && attributes.len() == count && schema_url == scope.schema_url() {
            return Ok(None);
        }
        decode::scope(veiled.as_deref().unwrap_or(&message), schema_url).map(Some)
    }

    /// The resource as much as may leave of it.
    pub(super) fn resource(&self, resource: &Resource) -> Resource {
        let message = encode::resource(resource);
        let schema_url = resource.schema_url().filter(|url| self.veil.begin().stays(url));
        // What cannot be read does not leave; it is not reached with what the encoder has written.
        let attributes = match self.veil.begin().resource(&message) {
            Ok(None) if schema_url == resource.schema_url() => return resource.clone(),
            Ok(veiled) => decode::resource(veiled.as_deref().unwrap_or(&message)).unwrap_or_default(),
            Err(Malformed) => Vec::new(),
        };
        let url = schema_url.unwrap_or_default().to_owned();
        Resource::builder_empty().with_schema_url(attributes, url).build()
    }

    /// What may leave of the spans of a batch that were sampled.
    pub(super) fn batch(&self, batch: Vec<SpanData>) -> Vec<SpanData> {
        let is_sampled = |span: &SpanData| {
            let is_sampled = span.span_context.is_sampled();
            if !is_sampled {
                self.spans_unsampled.fetch_add(1, Ordering::Relaxed);
            }
            is_sampled
        };
        batch.into_iter().filter(is_sampled).filter_map(|span| self.span(span)).collect()
    }

    /// Counts an export that has panicked, and answers how many had before.
    pub(super) fn count_panic(&self) -> u64 {
        self.exports_panicked.fetch_add(1, Ordering::Relaxed)
    }
}

/// What a flush came to, of the spans and of what is kept of their content.
pub(super) fn flushed(spans: OTelSdkResult, is_kept: bool) -> OTelSdkResult {
    let late = || OTelSdkError::InternalFailure("payloads could not be kept in time".to_owned());
    spans.and_then(|()| if is_kept { Ok(()) } else { Err(late()) })
}

/// Whether a span has an attribute of a GenAI dialect, or an event that has one, or is a GenAI instrumentation's.
fn is_genai(span: &SpanData) -> bool {
    let has_key =
        |attributes: &[KeyValue]| attributes.iter().any(|attribute| is_genai_key(attribute.key.as_str().as_bytes()));
    let has_event = |events: &[Event]| events.iter().any(|event| has_key(&event.attributes));
    has_key(&span.attributes)
        || has_event(&span.events.events)
        || is_genai_name(span.instrumentation_scope.name().as_bytes())
}

/// The policy of a wrapper. A handle: take it before the wrapper goes into the provider.
#[derive(Clone)]
pub struct PolicyHandle(pub(super) Arc<Redaction>);

impl PolicyHandle {
    /// The policy that the wrapper applies.
    pub fn policy(&self) -> Policy {
        self.0.policy()
    }

    /// From now on it applies this one, to all that has not been handed on. The resource was handed on when the provider was
    /// built, and stays as it was veiled then.
    pub fn set_policy(&self, policy: Policy) {
        self.0.veil.set_policy(policy);
    }
}

impl fmt::Debug for PolicyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PolicyHandle").field(&self.policy()).finish()
    }
}

/// What a wrapper has done so far. A handle: take it before the wrapper goes into the provider.
#[derive(Clone)]
pub struct RedactionCounts(pub(super) Arc<Redaction>);

impl RedactionCounts {
    /// Labels that did not look like one and left as a digest or as `_OTHER`.
    pub fn labels_replaced(&self) -> u64 {
        self.0.veil.counts().labels_replaced
    }

    /// Whole contents that did not fit into their attribute and were cut.
    pub fn texts_cut(&self) -> u64 {
        self.0.veil.counts().texts_cut
    }

    /// Texts that left with something masked in them, a preview and the whole each for itself.
    pub fn texts_masked(&self) -> u64 {
        self.0.veil.counts().texts_masked
    }

    /// What became of contents that are kept whole (`VEILSPAN_PAYLOADS`), under the present policy's folder.
    pub fn payloads(&self) -> PayloadCounts {
        self.0.veil.payload_counts()
    }

    /// Spans that could not be veiled and were dropped.
    pub fn spans_refused(&self) -> u64 {
        self.0.spans_refused.load(Ordering::Relaxed)
    }

    /// Spans that were recorded, not sampled, and so not exported.
    pub fn spans_unsampled(&self) -> u64 {
        self.0.spans_unsampled.load(Ordering::Relaxed)
    }

    /// Exports that ended in a panic of the exporter; each is a failed export to the SDK.
    pub fn exports_panicked(&self) -> u64 {
        self.0.exports_panicked.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for RedactionCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedactionCounts")
            .field("labels_replaced", &self.labels_replaced())
            .field("texts_cut", &self.texts_cut())
            .field("texts_masked", &self.texts_masked())
            .field("payloads", &self.payloads())
            .field("spans_refused", &self.spans_refused())
            .field("spans_unsampled", &self.spans_unsampled())
            .field("exports_panicked", &self.exports_panicked())
            .finish()
    }
}
