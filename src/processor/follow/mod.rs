//! What follows from the calls that pass: reduction, and the comparison of runs with their baselines. The same in a stage
//! and in the SDK.
//!
//! ```text
//! call ─▶ Comparisons: which baseline ─▶ Reducer ─ what closes ─┬─▶ turns, summaries, findings
//!                                                              └─▶ Comparisons ─▶ drift, findings
//! ```
//!
//! Promises that one set of facts serves both, so that a call is kept once, that both close what they tell of at the same
//! time, and that the bounds of [`Limits`] hold for both together. Reads no clock and does no I/O: whoever calls says what
//! time it is, and carries out what is [`Told`]. Costs what the reducer costs, and of a run with a baseline one comparison
//! where a turn of it closes.

mod counts;
mod told;

use crate::event::{CallRecord, Source, Veiled};
use crate::reduce::{Effect, Limits, Reducer};
#[cfg(feature = "collector")]
use crate::reduce::{GoesOn, RolloutKey};
use crate::replay::{Baselines, ComparisonCounts, Comparisons, LiveReport};

pub(crate) use counts::FindingCounts;
pub use counts::ReductionCounts;
pub(crate) use told::{Told, ToldFinding};

/// A reducer, and whoever wants to know what it closes.
pub(crate) struct Follow {
    reducer: Reducer,
    /// Whether turns, summaries and findings of reduction are told.
    reduces: bool,
    comparisons: Option<Comparisons>,
    counts: ReductionCounts,
    findings: FindingCounts,
}

impl Follow {
    /// Reduction: turns that nobody reported, summaries, findings.
    pub(crate) fn reducing(limits: Limits) -> Self {
        Self {
            reducer: Reducer::new(limits),
            reduces: true,
            comparisons: None,
            counts: ReductionCounts::default(),
            findings: FindingCounts::default(),
        }
    }

    /// Comparison alone.
    pub(crate) fn comparing(limits: Limits, baselines: Baselines) -> Self {
        Self { reduces: false, ..Self::reducing(limits) }.and_comparing(baselines)
    }

    /// Comparison, beside what it does already.
    pub(crate) fn and_comparing(self, baselines: Baselines) -> Self {
        Self { comparisons: Some(Comparisons::new(baselines)), ..self }
    }

    /// Takes a call in that has ended and arrived at `now`. What was due by then happens first.
    pub(crate) fn take(&mut self, call: CallRecord<Veiled>, now: u64) -> Vec<Told> {
        if let Some(comparisons) = &mut self.comparisons {
            comparisons.observe(&call, &self.reducer);
        }
        self.counts.reduced += 1;
        let mut told = Vec::new();
        for event in call.into_events(Source::Otlp) {
            let effects = self.reducer.on(event, now);
            self.follow(effects, now, &mut told);
        }
        told
    }

    /// Does what is due, and says whether anything was: some of it nobody is told of.
    pub(crate) fn tick(&mut self, now: u64) -> (Vec<Told>, bool) {
        let effects = self.reducer.tick(now);
        let was_due = effects.iter().any(|effect| !matches!(effect, Effect::WakeAt(_)));
        let mut told = Vec::new();
        self.follow(effects, now, &mut told);
        (told, was_due)
    }

    /// Closes what waits for late data alone.
    pub(crate) fn shutdown(&mut self, now: u64) -> Vec<Told> {
        let effects = self.reducer.shutdown(now);
        let mut told = Vec::new();
        self.follow(effects, now, &mut told);
        told
    }

    /// What another life knew of a rollout that it had forgotten.
    #[cfg(feature = "collector")]
    pub(crate) fn recall(&mut self, rollout: &RolloutKey, goes_on: GoesOn) {
        self.reducer.recall(rollout, goes_on);
    }

    pub(crate) const fn reducer(&self) -> &Reducer {
        &self.reducer
    }

    /// What reduction has counted.
    pub(crate) const fn counts(&self) -> &ReductionCounts {
        &self.counts
    }

    /// What was found, by who found it and how much it matters.
    pub(crate) const fn findings(&self) -> &FindingCounts {
        &self.findings
    }

    /// What was compared; nothing where nothing is.
    pub(crate) fn compared(&self) -> Option<ComparisonCounts> {
        self.comparisons.as_ref().map(Comparisons::counts)
    }

    /// Counts a span that tells of no call.
    #[cfg(feature = "sdk")]
    pub(crate) const fn not_a_call(&mut self) {
        self.counts.not_calls += 1;
    }

    fn follow(&mut self, effects: Vec<Effect>, now: u64, told: &mut Vec<Told>) {
        for effect in effects {
            let report = match effect {
                Effect::AddSpan(span) if self.reduces => {
                    self.counts.added += 1;
                    told.push(Told::Span(span));
                    None
                }
                Effect::Finding(finding) if self.reduces => {
                    self.counts.findings += 1;
                    self.found(ToldFinding::of_reduction(&finding, now), told);
                    None
                }
                Effect::AddSpan(_) | Effect::Finding(_) => None,
                Effect::Count(counter, count) => {
                    self.counts.add(counter, count);
                    None
                }
                Effect::WakeAt(at) => {
                    told.push(Told::WakeAt(at));
                    None
                }
                Effect::TurnClosed(run) => self.comparisons.as_mut().and_then(|it| it.turn_closed(&run, &self.reducer)),
                Effect::RolloutClosed(closed) => self.comparisons.as_mut().and_then(|it| it.rollout_closed(&closed)),
            };
            if let Some(report) = report {
                self.tell(&report, told);
            }
        }
    }

    fn tell(&mut self, report: &LiveReport, told: &mut Vec<Told>) {
        let (verdict, findings) = (report.verdict.as_str(), report.differences.len());
        tracing::debug!(target: "veilspan", rollout = %report.run.rollout, verdict, findings, "compared with its baseline");
        told.extend(report.spans().into_iter().map(|span| Told::Span(Box::new(span))));
        for difference in &report.differences {
            self.found(ToldFinding::of_comparison(report, difference), told);
        }
    }

    fn found(&mut self, finding: ToldFinding, told: &mut Vec<Told>) {
        let (kind, rollout) = (finding.kind, &finding.run.rollout);
        tracing::debug!(target: "veilspan", kind, %rollout, "finding");
        self.findings.add(finding.by, finding.severity);
        told.push(Told::Finding(Box::new(finding)));
    }
}
