//! What comparing two runs came to.

use bytestring::ByteString;
use serde_json::{Map, Value, json};

use super::{Difference, DifferenceKind};
use crate::reduce::Reason;
use crate::replay::run::Place;

/// What comparing two runs came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The rollouts that were compared, the baseline first.
    pub rollouts: [ByteString; 2],
    /// How many steps each has.
    pub steps: [u64; 2],
    /// The differences, in the order of the runs.
    pub differences: Vec<Difference>,
    /// All steps, beside those that they stand for.
    pub rows: Vec<Row>,
    /// Where the runs first are the same again after the first divergence.
    pub resync: Option<[Place; 2]>,
    /// How many pairs of steps did the same although what they were given had changed.
    pub affected: u64,
    /// How many groups of steps that ran at the same time did so in another order. That is no difference.
    pub reordered: u64,
    /// How many fields could not be compared: told by one run alone, of another type, digested with another key.
    pub not_comparable: u64,
    /// How many steps at the end of one run the other may still come to.
    pub pending: u64,
    /// Whether a bound was hit, so that a shorter account of the differences may exist.
    pub approximate: bool,
    /// Why that there is no difference would not mean that there is none.
    pub unsure: Vec<Unsure>,
}

/// A step of the baseline beside the step of the candidate that stands for it, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The step of the baseline.
    pub baseline: Option<u64>,
    /// The step of the candidate.
    pub candidate: Option<u64>,
}

/// What two runs are to one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They did the same.
    Same,
    /// They did not.
    Drift,
    /// It cannot be told.
    Inconclusive,
}

impl Verdict {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Drift => "drift",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// Why nothing can be concluded from that there is no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsure {
    /// The baseline has no step.
    NoBaseline,
    /// The baseline may go on.
    BaselineOpen,
    /// The candidate may go on.
    CandidateOpen,
    /// The baseline was closed before it ended.
    BaselineCutOff(Reason),
    /// The candidate was closed before it ended.
    CandidateCutOff(Reason),
    /// Some of the baseline is missing.
    BaselineIncomplete,
    /// Some of the candidate is missing.
    CandidateIncomplete,
    /// Some of the runs could not be compared.
    NotComparable,
}

impl Unsure {
    /// The words for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoBaseline => "no-baseline",
            Self::BaselineOpen => "baseline-open",
            Self::CandidateOpen => "candidate-open",
            Self::BaselineCutOff(Reason::Idle) => "baseline-idle",
            Self::BaselineCutOff(Reason::Evicted) => "baseline-evicted",
            Self::BaselineCutOff(Reason::Ended) | Self::BaselineIncomplete => "baseline-incomplete",
            Self::CandidateCutOff(Reason::Idle) => "candidate-idle",
            Self::CandidateCutOff(Reason::Evicted) => "candidate-evicted",
            Self::CandidateCutOff(Reason::Ended) | Self::CandidateIncomplete => "candidate-incomplete",
            Self::NotComparable => "not-comparable",
        }
    }
}

impl Report {
    /// What the runs are to one another. A run that was cut off, and an empty baseline, leave it open whatever was found.
    pub fn verdict(&self) -> Verdict {
        let open = |reason: &Unsure| {
            matches!(reason, Unsure::NoBaseline | Unsure::BaselineCutOff(_) | Unsure::CandidateCutOff(_))
        };
        if self.unsure.iter().any(open) {
            Verdict::Inconclusive
        } else if self.drift().next().is_some() {
            Verdict::Drift
        } else if self.unsure.is_empty() {
            Verdict::Same
        } else {
            Verdict::Inconclusive
        }
    }

    /// The differences that are drift: not meant, and more than a matter of time and cost.
    pub fn drift(&self) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(|difference| difference.is_drift())
    }

    /// The first divergence: the first difference that follows from no other.
    pub fn first(&self) -> Option<&Difference> {
        let origin = |difference: &&Difference| difference.since.is_none();
        self.drift().find(origin).or_else(|| self.drift().next())
    }

    /// The report as JSON, for gates. Names are sorted. What is not known is absent.
    pub fn to_json(&self) -> Value {
        let [baseline, candidate] = &self.rollouts;
        let unsure: Vec<_> = self.unsure.iter().map(|reason| reason.as_str()).collect();
        let mut json = json!({
            "verdict": self.verdict().as_str(),
            "unsure": unsure,
            "baseline": {"rollout": &**baseline, "steps": self.steps[0]},
            "candidate": {"rollout": &**candidate, "steps": self.steps[1]},
            "differences": self.differences.iter().map(difference).collect::<Vec<_>>(),
            "affected": self.affected,
            "reordered": self.reordered,
            "not_comparable": self.not_comparable,
            "pending": self.pending,
            "approximate": self.approximate,
        });
        if let Some(map) = json.as_object_mut() {
            let first = self.first().and_then(|first| self.differences.iter().position(|one| std::ptr::eq(one, first)));
            put(map, "first_divergence", first);
            let resync = |resync: &[Place; 2]| json!({"baseline": place(&resync[0]), "candidate": place(&resync[1])});
            put(map, "resync", self.resync.as_ref().map(resync));
        }
        json.sort_all_objects();
        json
    }
}

fn put(map: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), value.into());
    }
}

fn difference(difference: &Difference) -> Value {
    let mut map = Map::new();
    put(&mut map, "kind", Some(difference.kind.as_str()));
    put(&mut map, "parameter", difference.kind.parameter().map(|id| id.name().key));
    put(&mut map, "severity", Some(difference.severity.as_str()));
    put(&mut map, "step", Some(difference.step.as_str()));
    put(&mut map, "name", difference.name.as_deref());
    put(&mut map, "expected", difference.expected.as_deref());
    put(&mut map, "actual", difference.actual.as_deref());
    put(&mut map, "baseline", difference.baseline.as_ref().map(place));
    put(&mut map, "candidate", difference.candidate.as_ref().map(place));
    put(&mut map, "position", Some(difference.position.to_vec()));
    let covers = matches!(difference.kind, DifferenceKind::Insertion | DifferenceKind::Deletion);
    put(&mut map, "steps", covers.then_some(difference.steps));
    put(&mut map, "input", Some(difference.input.as_str()));
    put(&mut map, "since", difference.since);
    put(&mut map, "intended", difference.intended.as_deref());
    map.into()
}

fn place(place: &Place) -> Value {
    let mut map = Map::new();
    put(&mut map, "thread", Some(&*place.thread));
    put(&mut map, "turn", Some(&*place.turn));
    put(&mut map, "trace", place.span.map(|(trace, _)| trace.to_string()));
    put(&mut map, "span", place.span.map(|(_, span)| span.to_string()));
    put(&mut map, "number", Some(place.number));
    map.into()
}
