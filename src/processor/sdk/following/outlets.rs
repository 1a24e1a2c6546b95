//! Findings on their way to the host's own logs and metrics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use opentelemetry::KeyValue;
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::metrics::{AsyncInstrument, MeterProvider};
use opentelemetry::trace::{SpanId, TraceFlags, TraceId};

use super::added;
use super::followed::Followed;
use crate::event::Value;
use crate::processor::follow::ToldFinding;
use crate::reduce;
use crate::semconv::FINDING_SEVERITY;

/// Somebody who is told of findings.
pub(super) struct Outlet(Box<dyn Fn(&ToldFinding) + Send>);

impl Outlet {
    /// The log records of a provider.
    pub(super) fn logs<L>(provider: &impl LoggerProvider<Logger = L>) -> Self
    where
        L: Logger + Send + 'static,
    {
        let logger = provider.logger(env!("CARGO_PKG_NAME"));
        Self(Box::new(move |finding| logger.emit(filled(logger.create_log_record(), finding))))
    }

    /// A logger that panics costs nothing but its record.
    pub(super) fn tell(&self, finding: &ToldFinding) {
        if catch_unwind(AssertUnwindSafe(|| (self.0)(finding))).is_err() {
            tracing::warn!(target: "veilspan", "a logger panicked on a finding");
        }
    }
}

fn filled<R: LogRecord>(mut record: R, finding: &ToldFinding) -> R {
    record.set_event_name(ToldFinding::NAME);
    record.set_timestamp(added::time(finding.at_unix_nano));
    let severity = match finding.severity {
        reduce::Severity::Info => Severity::Info,
        reduce::Severity::Warning => Severity::Warn,
        reduce::Severity::Error => Severity::Error,
        reduce::Severity::Critical => Severity::Fatal,
    };
    record.set_severity_number(severity);
    record.set_body(AnyValue::from(finding.body()));
    record.add_attributes(finding.attrs.iter().map(|(id, value)| (id.name().key, any(value))));
    if let Some((trace, span)) = finding.span {
        let (trace, span) = (TraceId::from_bytes(*trace.as_bytes()), SpanId::from_bytes(*span.as_bytes()));
        record.set_trace_context(trace, span, Some(TraceFlags::SAMPLED));
    }
    record
}

fn any(value: &Value) -> AnyValue {
    match value {
        Value::Text(text) => AnyValue::from(text.to_string()),
        Value::Int(number) => AnyValue::from(*number),
        Value::Double(number) => AnyValue::from(*number),
        Value::Bool(flag) => AnyValue::from(*flag),
        Value::Texts(texts) => texts.iter().map(ToString::to_string).collect(),
        Value::Ints(numbers) => numbers.iter().copied().collect(),
    }
}

/// Counts findings as `veilspan.findings`, by who found them and how much they matter, for as long as they are looked for.
pub(super) fn count_in(provider: &impl MeterProvider, followed: &Arc<Followed>) {
    let followed: Weak<Followed> = Arc::downgrade(followed);
    let meter = provider.meter(env!("CARGO_PKG_NAME"));
    let counter = meter.u64_observable_counter("veilspan.findings").with_unit("{finding}");
    let observe = move |instrument: &dyn AsyncInstrument<u64>| {
        let Some(followed) = followed.upgrade() else { return };
        followed.read(|follow| {
            for (by, severity, count) in follow.findings().iter() {
                let labels = [KeyValue::new("veilspan.processor", by), KeyValue::new(FINDING_SEVERITY.key(), severity)];
                instrument.observe(count, &labels);
            }
        });
    };
    let _registered = counter.with_description("what was found in agent runs").with_callback(observe).build();
}
