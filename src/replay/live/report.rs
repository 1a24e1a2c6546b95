//! What was found of a run, as spans.

use std::hash::{Hash, Hasher};

use bytestring::ByteString;
use rustc_hash::FxHasher;

use crate::event::{Attrs, Link, SpanId, TraceId};
use crate::privacy::c1::Hasher as Digester;
use crate::reduce::{Reason, RolloutKey, SynthSpan};
use crate::replay::drift::{Difference, Unsure, Verdict};
use crate::replay::run::Place;
use crate::semconv::{
    REPLAY_OF, REPLAY_UNSURE, REPLAY_VERDICT, REPLAY_WITHDRAWN, REVISION, ROLLOUT_FINDINGS, ROLLOUT_ID, ROLLOUT_REASON,
    TENANT_ID,
};

/// What was found of a run since the last time.
#[derive(Clone, Debug)]
pub struct LiveReport {
    /// The run.
    pub run: RolloutKey,
    /// Its baseline.
    pub baseline: ByteString,
    /// What the two are to one another, as far as they are known.
    pub verdict: Verdict,
    /// Why that there is no difference would not mean that there is none.
    pub unsure: Vec<Unsure>,
    /// Why the run has closed, where it has.
    pub closed: Option<Reason>,
    /// 0 first; one more each time that late observations have come after the run had closed.
    pub revision: u64,
    /// The drift that was not told before, at most 128.
    pub differences: Vec<Difference>,
    /// How much more there is.
    pub dropped: u64,
    /// How much of what was told before no longer stands.
    pub withdrawn: u64,
    /// How much drift stands now, what was told before included.
    pub standing: u64,
    /// When the run was last seen, in nanoseconds since 1970.
    pub at_unix_nano: u64,
}

impl LiveReport {
    /// The spans that tell of it. Each difference is an event, whose attributes are [`Difference::to_attrs`].
    ///
    /// Those of a step that has a span stand on a child of that span, `drift` and the name of the step, where whoever looks at
    /// the step finds them. A span `replay` and the baseline, in a trace of its own and linked to those steps, tells the
    /// rest: steps that were left out, what no longer stands, and when the run has closed what the two come to.
    pub fn spans(&self) -> Vec<SynthSpan> {
        let mut of_steps: Vec<((TraceId, SpanId), Vec<&Difference>)> = Vec::new();
        let mut others = Vec::new();
        for one in &self.differences {
            match one.candidate.as_ref().and_then(|place| place.span) {
                Some(span) => match of_steps.iter_mut().find(|(step, _)| *step == span) {
                    Some((_, differences)) => differences.push(one),
                    None => of_steps.push((span, vec![one])),
                },
                None => others.push(one),
            }
        }
        let steps = of_steps.iter().filter_map(|(step, differences)| self.of_step(*step, differences));
        let mut spans: Vec<SynthSpan> = steps.collect();
        if self.closed.is_some() || !others.is_empty() || self.withdrawn > 0 || self.dropped > 0 {
            spans.extend(self.summary(of_steps.iter().map(|(step, _)| *step), &others));
        }
        spans
    }

    fn of_step(&self, (trace, step): (TraceId, SpanId), differences: &[&Difference]) -> Option<SynthSpan> {
        let told = fingerprints(differences);
        let pieces: [&[u8]; 5] =
            [b"veilspan/drift/1\0", trace.as_bytes(), step.as_bytes(), &told, &self.revision.to_be_bytes()];
        let digest = Digester::sha256().digest(&pieces).bytes;
        let name = differences.iter().find_map(|one| one.name.as_ref());
        let mut span = self.span(
            trace,
            SpanId::from_bytes(*digest.first_chunk()?)?,
            match name {
                Some(name) => format!("drift {name}"),
                None => "drift".to_owned(),
            },
        );
        span.parent = Some(step);
        span.attrs.set(ROLLOUT_FINDINGS, int(differences.len() as u64));
        differences.iter().for_each(|one| span.add_event(|| one.to_attrs()));
        Some(span)
    }

    fn summary(&self, steps: impl Iterator<Item = (TraceId, SpanId)>, others: &[&Difference]) -> Option<SynthSpan> {
        let tenant = self.run.tenant.as_deref().unwrap_or_default().as_bytes();
        let pieces: [&[u8]; 6] =
            [b"veilspan/replay/1\0", tenant, b"\0", self.run.rollout.as_bytes(), b"\0", self.baseline.as_bytes()];
        let trace = Digester::sha256().digest(&pieces).bytes;
        let all: Vec<&Difference> = self.differences.iter().collect();
        let (told, counts) = (fingerprints(&all), [self.revision, self.standing, self.withdrawn, self.at_unix_nano]);
        let counts = counts.map(u64::to_be_bytes).concat();
        let digest = Digester::sha256().digest(&[&trace, &told, &counts, &[u8::from(self.closed.is_some())]]).bytes;
        let (trace, id) = (TraceId::from_bytes(*trace.first_chunk()?)?, SpanId::from_bytes(*digest.first_chunk()?)?);
        let mut span = self.span(trace, id, format!("replay {}", self.baseline));
        span.attrs.set(REPLAY_VERDICT, ByteString::from_static(self.verdict.as_str()));
        span.attrs.set(ROLLOUT_FINDINGS, int(self.standing));
        if !self.unsure.is_empty() {
            let reasons = self.unsure.iter().map(|reason| ByteString::from_static(reason.as_str()));
            span.attrs.set(REPLAY_UNSURE, reasons.collect());
        }
        if let Some(reason) = self.closed {
            span.attrs.set(ROLLOUT_REASON, ByteString::from_static(reason.as_str()));
        }
        if self.withdrawn > 0 {
            span.attrs.set(REPLAY_WITHDRAWN, int(self.withdrawn));
        }
        span.attrs.set(REVISION, int(self.revision));
        span.links = steps.map(|(trace, span)| Link { trace, span, kind: None }).collect();
        others.iter().for_each(|one| span.add_event(|| one.to_attrs()));
        span.dropped_events = u32::try_from(self.dropped).unwrap_or(u32::MAX);
        Some(span)
    }

    fn span(&self, trace: TraceId, span: SpanId, name: String) -> SynthSpan {
        let mut attrs = Attrs::default();
        attrs.set(ROLLOUT_ID, self.run.rollout.clone());
        self.run.tenant.iter().for_each(|tenant| attrs.set(TENANT_ID, tenant.clone()));
        attrs.set(REPLAY_OF, self.baseline.clone());
        SynthSpan {
            trace,
            span,
            parent: None,
            name,
            start_unix_nano: self.at_unix_nano,
            end_unix_nano: self.at_unix_nano,
            attrs,
            links: Vec::new(),
            dropped_links: 0,
            events: Vec::new(),
            dropped_events: 0,
            is_error: false,
        }
    }
}

fn fingerprints(differences: &[&Difference]) -> Vec<u8> {
    differences.iter().flat_map(|one| fingerprint(one).to_be_bytes()).collect()
}

fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What tells a difference from every other of the run. A difference that is told again is the same, also where steps have
/// come before it.
pub(super) fn fingerprint(difference: &Difference) -> u64 {
    let mut hasher = FxHasher::default();
    difference.kind.hash(&mut hasher);
    (&difference.expected, &difference.actual).hash(&mut hasher);
    let place = |place: &Place| {
        (place.thread.clone(), place.turn.clone(), place.span.is_none().then_some(place.index), place.span)
    };
    difference.baseline.as_ref().map(|one| (one.thread.clone(), one.turn.clone(), one.number)).hash(&mut hasher);
    difference.candidate.as_ref().map(place).hash(&mut hasher);
    hasher.finish()
}
