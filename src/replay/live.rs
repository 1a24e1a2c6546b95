//! Runs held against their baselines while they go on.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bytestring::ByteString;
use rustc_hash::FxHasher;

use super::drift::{Difference, Verdict, diff};
use super::run::Run;
use crate::event::{CallKind, CallRecord, Link, Source, SpanId, TraceId, Veiled};
use crate::privacy::c1::Hasher as Digester;
use crate::reduce::{Absorbed, Reason, RolloutFacts, RolloutKey, SynthSpan, derive};
use crate::semconv::{REPLAY_OF, REPLAY_VERDICT, REVISION, ROLLOUT_END, ROLLOUT_FINDINGS, ROLLOUT_ID, TENANT_ID};

/// The runs that are watched at once. Over the bound the one that was seen first is let go, and counted.
const RUNS: usize = 1_024;
/// The observations that are kept of one run. Over the bound they are dropped and counted, and the run is incomplete.
const FACTS: u64 = 100_000;
/// The differences that one report carries. The rest are counted.
const TOLD: usize = 128;

/// Runs held against their baselines while they go on. A run names its baseline by `veilspan.replay.of`.
///
/// Costs O(1) an observation, and at the end of each turn of a run that has a baseline one reduction of what is kept of it.
#[derive(Debug)]
pub struct Comparisons {
    baselines: HashMap<ByteString, Arc<Run>>,
    live: HashMap<RolloutKey, Live>,
    order: VecDeque<RolloutKey>,
    counts: ComparisonCounts,
}

/// What was compared so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ComparisonCounts {
    /// Runs that had a baseline and have ended.
    pub compared: u64,
    /// Differences that are drift.
    pub findings: u64,
    /// Runs that were let go before they ended, because too many were watched.
    pub let_go: u64,
    /// Observations that were dropped, because their run had too many.
    pub dropped: u64,
    /// Calls that were not compared, because too much was waiting.
    pub missed: u64,
    /// Runs that named a baseline which is not known.
    pub without_baseline: u64,
}

#[derive(Debug)]
struct Live {
    facts: RolloutFacts,
    baseline: Option<Arc<Run>>,
    told: HashSet<u64>,
    /// How often something was told of it after it had ended.
    revision: u64,
    changed: bool,
    dropped: bool,
    ended: bool,
    has_told_its_end: bool,
}

/// What was found of a run since the last time.
#[derive(Clone, Debug)]
pub struct LiveReport {
    /// The run.
    pub run: RolloutKey,
    /// Its baseline.
    pub baseline: ByteString,
    /// What the two are to one another, as far as they are known.
    pub verdict: Verdict,
    /// 0 first; one more each time that late observations have changed what was told at the end.
    pub revision: u64,
    /// Whether the run has ended.
    pub ended: bool,
    /// The drift that was not told before, at most 128.
    pub differences: Vec<Difference>,
    /// How much more there is.
    pub dropped: u64,
    /// When it was last seen, in nanoseconds since 1970.
    pub at_unix_nano: u64,
}

impl Comparisons {
    /// With these baselines, by their rollouts.
    pub fn new(baselines: impl IntoIterator<Item = Run>) -> Self {
        let baselines = baselines.into_iter().map(|run| (run.rollout.clone(), Arc::new(run))).collect();
        Self { baselines, live: HashMap::new(), order: VecDeque::new(), counts: ComparisonCounts::default() }
    }

    /// What was counted.
    pub const fn counts(&self) -> ComparisonCounts {
        self.counts
    }

    /// Counts a call that could not be taken in.
    pub fn missed(&mut self) {
        self.counts.missed += 1;
    }

    /// Takes a call in that has ended. What was found, where it ended a turn.
    pub fn on(&mut self, call: CallRecord<Veiled>) -> Option<LiveReport> {
        let key = RolloutKey::of(&call.scope);
        let baseline = call.opened.attrs.get(REPLAY_OF);
        let ends_turn = call.kind == CallKind::Turn && call.closed.outcome.is_some();
        let ends_run = call.kind == CallKind::Turn && call.closed.attrs.get(ROLLOUT_END) == Some(true);
        self.make_room(&key);
        let live = self.live.entry(key.clone()).or_insert_with(|| Live::new(key.clone()));
        if let Some(named) = baseline.filter(|_| live.baseline.is_none()) {
            live.baseline = self.baselines.get(&named).map(Arc::clone);
            self.counts.without_baseline += u64::from(live.baseline.is_none());
        }
        for event in call.into_events(Source::Otlp) {
            if live.facts.count() >= FACTS {
                live.dropped = true;
                self.counts.dropped += 1;
            } else {
                live.changed |= live.facts.absorb(&event) == Absorbed::New;
            }
        }
        if ends_run {
            live.ended = true;
            live.facts.close(Reason::Ended);
        }
        if ends_turn { self.compare(&key) } else { None }
    }

    /// What was found of runs that have changed since they were last compared.
    pub fn flush(&mut self) -> Vec<LiveReport> {
        let changed: Vec<RolloutKey> =
            self.order.iter().filter(|key| self.live.get(key).is_some_and(|live| live.changed)).cloned().collect();
        changed.iter().filter_map(|key| self.compare(key)).collect()
    }

    fn make_room(&mut self, key: &RolloutKey) {
        if self.live.contains_key(key) {
            return;
        }
        while self.live.len() >= RUNS {
            let Some(oldest) = self.order.pop_front() else { break };
            let gone = self.live.remove(&oldest);
            self.counts.let_go += u64::from(gone.is_some_and(|live| live.baseline.is_some() && !live.ended));
        }
        self.order.push_back(key.clone());
    }

    fn compare(&mut self, key: &RolloutKey) -> Option<LiveReport> {
        let live = self.live.get_mut(key).filter(|live| live.changed)?;
        let baseline = live.baseline.clone()?;
        live.changed = false;
        let rollout = derive(&live.facts);
        let mut run = Run::of(&rollout);
        run.incomplete |= live.dropped;
        let report = diff(&baseline, &run);
        let mut differences: Vec<Difference> =
            report.drift().filter(|one| live.told.insert(fingerprint(one))).cloned().collect();
        let ends_now = live.ended && !live.has_told_its_end;
        if differences.is_empty() && !ends_now {
            return None;
        }
        live.revision += u64::from(live.has_told_its_end);
        live.has_told_its_end |= live.ended;
        self.counts.compared += u64::from(ends_now);
        self.counts.findings += differences.len() as u64;
        let dropped = differences.len().saturating_sub(TOLD) as u64;
        differences.truncate(TOLD);
        // A place in a list of all differences says nothing where only some are told.
        differences.iter_mut().for_each(|one| one.since = None);
        Some(LiveReport {
            run: key.clone(),
            baseline: baseline.rollout.clone(),
            verdict: report.verdict(),
            revision: live.revision,
            ended: live.ended,
            differences,
            dropped,
            at_unix_nano: rollout.last_unix_nano.unwrap_or_default(),
        })
    }
}

impl Live {
    fn new(key: RolloutKey) -> Self {
        Self {
            facts: RolloutFacts::new(key),
            baseline: None,
            told: HashSet::new(),
            revision: 0,
            changed: false,
            dropped: false,
            ended: false,
            has_told_its_end: false,
        }
    }
}

/// What tells a difference from every other of the run. A difference that is told again is the same.
fn fingerprint(difference: &Difference) -> u64 {
    let mut hasher = FxHasher::default();
    difference.kind.hash(&mut hasher);
    (&difference.expected, &difference.actual).hash(&mut hasher);
    for place in [&difference.baseline, &difference.candidate] {
        place.as_ref().map(|place| (&place.thread, &place.turn, place.span, place.index)).hash(&mut hasher);
    }
    hasher.finish()
}

impl LiveReport {
    /// The span that tells of it: in a trace of its own, linked to the steps of the run that differ. Each difference is an
    /// event of it, whose attributes are [`Difference::to_attrs`].
    pub fn span(&self) -> Option<SynthSpan> {
        let mut attrs = crate::event::Attrs::default();
        attrs.set(ROLLOUT_ID, self.run.rollout.clone());
        self.run.tenant.iter().for_each(|tenant| attrs.set(TENANT_ID, tenant.clone()));
        attrs.set(REPLAY_OF, self.baseline.clone());
        attrs.set(REPLAY_VERDICT, ByteString::from_static(self.verdict.as_str()));
        attrs.set(ROLLOUT_FINDINGS, self.differences.len() as i64);
        attrs.set(REVISION, i64::try_from(self.revision).unwrap_or(i64::MAX));
        let mut links: Vec<Link> = Vec::new();
        for (trace, span) in self.differences.iter().filter_map(|one| one.candidate.as_ref()?.span) {
            let link = Link { trace, span, kind: None };
            if !links.contains(&link) {
                links.push(link);
            }
        }
        let told: Vec<u8> = self.differences.iter().flat_map(|one| fingerprint(one).to_be_bytes()).collect();
        let tenant = self.run.tenant.as_deref().unwrap_or_default().as_bytes();
        let pieces: [&[u8]; 6] =
            [b"veilspan/replay/1\0", tenant, b"\0", self.run.rollout.as_bytes(), b"\0", self.baseline.as_bytes()];
        let trace = Digester::sha256().digest(&pieces).bytes;
        let span =
            Digester::sha256().digest(&[&trace, &told, &self.revision.to_be_bytes(), &[u8::from(self.ended)]]).bytes;
        Some(SynthSpan {
            trace: TraceId::from_bytes(*trace.first_chunk()?)?,
            span: SpanId::from_bytes(*span.first_chunk()?)?,
            parent: None,
            name: format!("replay {}", self.baseline),
            start_unix_nano: self.at_unix_nano,
            end_unix_nano: self.at_unix_nano,
            attrs,
            links,
            dropped_links: 0,
            is_error: false,
        })
    }
}
