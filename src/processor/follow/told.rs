//! What is to be done about what was seen.

use crate::event::{Attrs, KeyIdentity, SpanId, TraceId};
use crate::reduce::{RolloutFinding, RolloutKey, Severity, SynthEvent, SynthSpan};
use crate::replay::{Difference, LiveReport};
use crate::semconv::{REPLAY_OF, ROLLOUT_GENERATION, ROLLOUT_ID, TENANT_ID};

/// Something for the host to do.
pub(crate) enum Told {
    /// Send a span that no producer sent.
    Span(Box<SynthSpan>),
    /// Tell a person.
    Finding(Box<ToldFinding>),
    /// Come back at this time (nanoseconds since 1970), or later, or earlier. The latest one given counts. A stage's clock ticks
    /// by itself.
    #[cfg_attr(not(feature = "sdk"), allow(dead_code))]
    WakeAt(u64),
}

#[cfg(feature = "collector")]
impl Told {
    pub(crate) fn span(&self) -> Option<&SynthSpan> {
        if let Self::Span(span) = self { Some(span) } else { None }
    }

    pub(crate) fn finding(&self) -> Option<&ToldFinding> {
        if let Self::Finding(finding) = self { Some(finding) } else { None }
    }
}

/// A finding as a log record tells it.
pub(crate) struct ToldFinding {
    /// Who found it: `reduce` or `replay`.
    pub(crate) by: &'static str,
    /// What was found, in one word.
    pub(crate) kind: &'static str,
    pub(crate) run: RolloutKey,
    pub(crate) severity: Severity,
    /// When it was found, or when its run was last seen, in nanoseconds since 1970.
    pub(crate) at_unix_nano: u64,
    pub(crate) attrs: Attrs,
    /// The span that it is about, where there is one.
    pub(crate) span: Option<(TraceId, SpanId)>,
}

impl ToldFinding {
    /// The name of the record: that of a finding's span event.
    pub(crate) const NAME: &'static str = SynthEvent::NAME;

    pub(super) fn of_reduction(told: &RolloutFinding, now: u64) -> Self {
        let run = RolloutKey { tenant: told.tenant.clone(), rollout: told.rollout.clone() };
        let mut attrs = told.finding.to_attrs();
        attrs.set(ROLLOUT_GENERATION, i64::try_from(told.generation).unwrap_or(i64::MAX));
        Self {
            by: "reduce",
            kind: told.finding.kind.as_str(),
            severity: told.finding.severity(),
            at_unix_nano: now,
            span: told.finding.call.and_then(|call| match call.id {
                KeyIdentity::Span(trace, span) => Some((trace, span)),
                KeyIdentity::Call(_) | KeyIdentity::None => None,
            }),
            attrs,
            run,
        }
        .identified()
    }

    pub(super) fn of_comparison(report: &LiveReport, difference: &Difference) -> Self {
        let mut attrs = difference.to_attrs();
        attrs.set(REPLAY_OF, report.baseline.clone());
        Self {
            by: "replay",
            kind: difference.kind.as_str(),
            run: report.run.clone(),
            severity: difference.severity,
            at_unix_nano: report.at_unix_nano,
            attrs,
            span: difference.candidate.as_ref().and_then(|place| place.span),
        }
        .identified()
    }

    fn identified(mut self) -> Self {
        self.attrs.set(ROLLOUT_ID, self.run.rollout.clone());
        if let Some(tenant) = &self.run.tenant {
            self.attrs.set(TENANT_ID, tenant.clone());
        }
        self
    }

    /// The number of its severity in OTLP.
    #[cfg(feature = "collector")]
    pub(crate) const fn severity_number(&self) -> u8 {
        match self.severity {
            Severity::Info => 9,
            Severity::Warning => 13,
            Severity::Error => 17,
            Severity::Critical => 21,
        }
    }

    /// What the record says to people.
    pub(crate) fn body(&self) -> &'static str {
        if self.by == "replay" { "a run does otherwise than its baseline" } else { "a run is not what it seems" }
    }
}
