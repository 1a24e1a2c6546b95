//! What is known of the runs that have a baseline.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::baselines::{Baselines, Named};
use super::report::{LiveReport, fingerprint};
use crate::event::{CallRecord, Veiled};
use crate::reduce::{ClosedRollout, Reducer, Rollout, RolloutFacts, RolloutKey, derive};
use crate::replay::drift::{Difference, diff};
use crate::replay::run::Run;

/// The runs that are watched at once. Over the bound the one that was seen first is let go, and counted.
const RUNS: usize = 16_384;
/// The differences that are known as told of one run. Over the bound they are counted, and not told.
const KNOWN: usize = 4_096;
/// The differences that one report carries. The rest are counted.
const TOLD: usize = 128;
/// Runs of fewer facts are compared at the end of each turn.
const SHORT: u64 = 2_000;

/// Runs held against their baselines while they go on.
///
/// A host has each call [observed](Self::observe) before a [`Reducer`] takes its events in, and says what that reducer has
/// closed.
#[derive(Debug)]
pub struct Comparisons {
    baselines: Baselines,
    runs: HashMap<RolloutKey, Watched>,
    order: VecDeque<RolloutKey>,
    /// With so many runs those are looked for that nothing is known of any more.
    sweep_at: usize,
    counts: ComparisonCounts,
}

/// What was compared so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ComparisonCounts {
    /// Runs that had a baseline and have closed.
    pub compared: u64,
    /// Differences that are drift.
    pub findings: u64,
    /// Those of them that no longer stood when more of their run had come.
    pub withdrawn: u64,
    /// Differences that were not told, because there were too many.
    pub dropped: u64,
    /// Runs that were let go before they closed, because too many were watched.
    pub let_go: u64,
    /// Calls that were not compared, because too much was waiting in front of a processor.
    pub missed: u64,
    /// Runs that named a baseline which is not known.
    pub without_baseline: u64,
    /// Runs that went on after they had closed: of what came then no baseline tells anything.
    pub resumed: u64,
}

#[derive(Debug)]
struct Watched {
    /// Nothing where the name is not known.
    baseline: Option<Arc<Run>>,
    by_itself: bool,
    /// Differences that were told and still stood, by what tells them from others.
    told: HashSet<u64>,
    /// It is not compared before so many facts of it are known.
    next_at: u64,
    has_closed: bool,
}

impl Comparisons {
    /// With these baselines.
    pub fn new(baselines: Baselines) -> Self {
        let (runs, order) = (HashMap::new(), VecDeque::new());
        Self { baselines, runs, order, sweep_at: RUNS / 8, counts: ComparisonCounts::default() }
    }

    /// What was counted.
    pub const fn counts(&self) -> ComparisonCounts {
        self.counts
    }

    /// Notes the baseline that a call names for its run.
    pub fn observe(&mut self, call: &CallRecord<Veiled>, reducer: &Reducer) {
        let Some(Named { name, by_itself }) = self.baselines.named(call) else { return };
        let key = RolloutKey::of(&call.scope);
        if let Some(known) = self.runs.get_mut(&key) {
            // What a run says of itself counts more than a rule, as long as nothing was told by that.
            if by_itself && !known.by_itself && known.told.is_empty() && !known.has_closed {
                known.baseline = self.baselines.of(&key, &name);
                known.by_itself = true;
                self.counts.without_baseline += u64::from(known.baseline.is_none());
            }
            return;
        }
        self.make_room(reducer);
        let key = key.detached();
        let baseline = self.baselines.of(&key, &name);
        self.counts.without_baseline += u64::from(baseline.is_none());
        let watched = Watched { baseline, by_itself, told: HashSet::new(), next_at: 0, has_closed: false };
        self.order.push_back(key.clone());
        self.runs.insert(key, watched);
    }

    fn make_room(&mut self, reducer: &Reducer) {
        if self.runs.len() >= self.sweep_at {
            self.runs.retain(|key, _| reducer.remembers(key));
            self.order.retain(|key| self.runs.contains_key(key));
            self.sweep_at = (2 * self.runs.len()).clamp(RUNS / 8, RUNS);
        }
        while self.runs.len() >= RUNS {
            let Some(oldest) = self.order.pop_front() else { break };
            let gone = self.runs.remove(&oldest);
            self.counts.let_go += u64::from(gone.is_some_and(|run| run.baseline.is_some() && !run.has_closed));
        }
    }

    /// What is found of a run now that one of its turns has closed.
    pub fn turn_closed(&mut self, run: &RolloutKey, reducer: &Reducer) -> Option<LiveReport> {
        let watched = self.runs.get_mut(run).filter(|watched| watched.baseline.is_some() && !watched.has_closed)?;
        let facts: &RolloutFacts = reducer.open_one(run)?;
        if facts.count() < watched.next_at {
            return None;
        }
        if facts.count() >= SHORT {
            watched.next_at = facts.count() + facts.count() / 8;
        }
        let report = self.compare(run, &derive(facts), 0)?;
        (!report.differences.is_empty() || report.withdrawn > 0 || report.dropped > 0).then_some(report)
    }

    /// What is found of a run that has closed, or that has changed since.
    pub fn rollout_closed(&mut self, closed: &ClosedRollout) -> Option<LiveReport> {
        let graph = &closed.graph;
        let run = RolloutKey { tenant: graph.tenant.clone(), rollout: graph.id.clone() };
        let watched = self.runs.get_mut(&run).filter(|watched| watched.baseline.is_some())?;
        if graph.generation > 0 {
            self.counts.resumed += u64::from(closed.revision == 0);
            return None;
        }
        self.counts.compared += u64::from(!watched.has_closed);
        watched.has_closed = true;
        self.compare(&run, graph, closed.revision)
    }

    fn compare(&mut self, run: &RolloutKey, graph: &Rollout, revision: u64) -> Option<LiveReport> {
        let watched = self.runs.get_mut(run)?;
        let baseline = Arc::clone(watched.baseline.as_ref()?);
        let report = diff(&baseline, &Run::of(graph));
        let standing: HashSet<u64> = report.drift().map(fingerprint).collect();
        let before = watched.told.len();
        watched.told.retain(|told| standing.contains(told));
        let withdrawn = (before - watched.told.len()) as u64;
        let (mut differences, mut dropped): (Vec<Difference>, u64) = (Vec::new(), 0);
        for one in report.drift() {
            let fingerprint = fingerprint(one);
            if watched.told.contains(&fingerprint) {
                continue;
            }
            if differences.len() >= TOLD || watched.told.len() >= KNOWN {
                dropped += 1;
                continue;
            }
            watched.told.insert(fingerprint);
            // A place in a list of all differences says nothing where only some are told.
            differences.push(Difference { since: None, ..one.clone() });
        }
        self.counts.findings += differences.len() as u64;
        // Before the end there is another time to tell them.
        self.counts.dropped += if graph.closed.is_some() && revision == 0 { dropped } else { 0 };
        self.counts.withdrawn += withdrawn;
        Some(LiveReport {
            run: run.clone(),
            baseline: baseline.rollout.clone(),
            verdict: report.verdict(),
            unsure: report.unsure,
            closed: graph.closed,
            revision,
            differences,
            dropped,
            withdrawn,
            standing: standing.len() as u64,
            at_unix_nano: graph.last_unix_nano.unwrap_or_default(),
        })
    }
}
