//! Spans, policies, and what becomes of the one under the other.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanEvents, SpanExporter, SpanLinks, SpanProcessor};
use veilspan::Policy;
use veilspan::privacy::{Key, Level};
use veilspan::processor::{RedactingExporter, RedactingProcessor};

/// Keeps what it is given, as an exporter or as a processor. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Kept(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
pub struct Inside {
    pub spans: Vec<SpanData>,
    pub resource: Option<Resource>,
    pub calls: Vec<String>,
}

impl Kept {
    pub fn inside<T>(&self, look: impl FnOnce(&mut Inside) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    pub fn spans(&self) -> Vec<SpanData> {
        self.inside(|inside| inside.spans.clone())
    }

    fn called(&self, call: impl Into<String>) -> OTelSdkResult {
        self.inside(|inside| inside.calls.push(call.into()));
        Ok(())
    }
}

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.inside(|inside| inside.spans.extend(batch));
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.called(format!("shutdown {timeout:?}"))
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.called("flush")
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inside(|inside| inside.resource = Some(resource.clone()));
    }
}

impl SpanProcessor for Kept {
    fn on_start(&self, _: &mut Span, _: &Context) {
        self.called("start").unwrap();
    }

    fn on_end(&self, span: SpanData) {
        self.inside(|inside| inside.spans.push(span));
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.called("flush")
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.called(format!("shutdown {timeout:?}"))
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inside(|inside| inside.resource = Some(resource.clone()));
    }
}

pub fn keyed() -> Policy {
    let key = Key::new(vec![7; 32], Some("test".to_owned())).unwrap();
    Policy::builder().key(key).build_in(&Default::default()).0
}

pub fn unkeyed() -> Policy {
    Policy::builder().unkeyed_sha256().build_in(&Default::default()).0
}

pub fn undigested() -> Policy {
    Policy::builder().no_digests().build_in(&Default::default()).0
}

pub fn nothing() -> Policy {
    Policy::builder().content(Level::None).build_in(&Default::default()).0
}

pub fn every_policy() -> [Policy; 4] {
    [keyed(), unkeyed(), undigested(), nothing()]
}

pub fn context(state: &[(&str, &str)]) -> SpanContext {
    let state = TraceState::from_key_value(state.iter().copied()).unwrap();
    SpanContext::new(TraceId::from(1 << 99), SpanId::from(5), TraceFlags::SAMPLED, false, state)
}

/// When all of it happens.
pub const AT: SystemTime = SystemTime::UNIX_EPOCH;

/// A sampled span with these attributes.
pub fn span(attributes: impl IntoIterator<Item = KeyValue>) -> SpanData {
    SpanData {
        span_context: context(&[]),
        parent_span_id: SpanId::from(6),
        parent_span_is_remote: true,
        span_kind: SpanKind::Client,
        name: Cow::Borrowed("chat"),
        start_time: AT,
        end_time: AT + Duration::from_secs(1),
        attributes: attributes.into_iter().collect(),
        dropped_attributes_count: 3,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("my-service").build(),
    }
}

/// What leaves of spans, the same through an exporter and through a processor, and through two of each.
pub fn leave(policy: &Policy, spans: &[SpanData]) -> Vec<SpanData> {
    let exported = Kept::default();
    let exporter = RedactingExporter::new(exported.clone(), policy.clone());
    now(exporter.export(spans.to_vec())).unwrap();
    let nested = Kept::default();
    let exporter = RedactingExporter::new(RedactingExporter::new(nested.clone(), policy.clone()), policy.clone());
    now(exporter.export(spans.to_vec())).unwrap();
    assert_eq!(exported.spans(), nested.spans(), "a second pass changes something");
    let handed_on = Kept::default();
    let processor = RedactingProcessor::new(handed_on.clone(), policy.clone());
    spans.iter().cloned().for_each(|span| processor.on_end(span));
    assert_eq!(exported.spans(), handed_on.spans());
    let again = Kept::default();
    let processor = RedactingProcessor::new(RedactingProcessor::new(again.clone(), policy.clone()), policy.clone());
    spans.iter().cloned().for_each(|span| processor.on_end(span));
    assert_eq!(exported.spans(), again.spans(), "a second pass changes something");
    exported.spans()
}

pub fn leaves(policy: &Policy, span: SpanData) -> SpanData {
    leave(policy, &[span]).remove(0)
}

/// What leaves of a resource.
pub fn resource_leaves(policy: &Policy, resource: &Resource) -> Resource {
    let (exported, handed_on) = (Kept::default(), Kept::default());
    RedactingExporter::new(exported.clone(), policy.clone()).set_resource(resource);
    RedactingProcessor::new(handed_on.clone(), policy.clone()).set_resource(resource);
    let exported = exported.inside(|inside| inside.resource.take()).unwrap();
    assert_eq!(Some(&exported), handed_on.inside(|inside| inside.resource.take()).as_ref());
    exported
}

/// The output of a future that waits for nothing.
pub fn now<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// The values of attributes, of which no key may stand twice.
pub fn value<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    let mut found = attributes.iter().filter(|attribute| attribute.key.as_str() == key);
    let first = found.next();
    assert!(found.next().is_none(), "{key} stands twice");
    first.map(|attribute| &attribute.value)
}
