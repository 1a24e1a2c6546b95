//! What a run did otherwise than another: aligned first, then compared step by step.

mod compare;
mod cost;
mod difference;
mod join;
mod report;
mod siblings;
mod text;
mod walk;
mod wire;

pub(super) use compare::NOISE;
pub use difference::{Difference, DifferenceKind, InputState};
pub use report::{Report, Row, Unsure, Verdict};

use super::run::{Run, RunEnd};

/// What `candidate` did otherwise than `baseline`. Linear in the steps of both where they are much alike.
pub fn diff(baseline: &Run, candidate: &Run) -> Report {
    let mut report = walk::walk(baseline, candidate);
    report.unsure = unsure(baseline, candidate, &report);
    report
}

/// Why no difference would not mean that there is none.
fn unsure(baseline: &Run, candidate: &Run, report: &Report) -> Vec<Unsure> {
    let mut reasons = Vec::new();
    if baseline.count == 0 {
        reasons.push(Unsure::NoBaseline);
    }
    for (run, open, cut_off, incomplete) in [
        (baseline, Unsure::BaselineOpen, Unsure::BaselineCutOff as fn(_) -> _, Unsure::BaselineIncomplete),
        (candidate, Unsure::CandidateOpen, Unsure::CandidateCutOff, Unsure::CandidateIncomplete),
    ] {
        match run.end {
            RunEnd::Ended => {}
            RunEnd::Open => reasons.push(open),
            RunEnd::CutOff(reason) => reasons.push(cut_off(reason)),
        }
        if run.incomplete {
            reasons.push(incomplete);
        }
    }
    if report.not_comparable > 0 {
        reasons.push(Unsure::NotComparable);
    }
    reasons
}
