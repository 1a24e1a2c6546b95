//! Runs held against their baselines while they go on.
//!
//! ```text
//! call ──▶ observe: which baseline ─┐
//! a turn closes, a rollout closes ──┴─▶ compare ──▶ LiveReport: spans below the steps that differ; a summary at the end
//! ```
//!
//! Promises that a difference is told once, that one which no longer stands is counted as withdrawn by the next report, and
//! that a run is never held against another tenant's. When turns and rollouts close is the reducer's to say, and so are the
//! bounds of what is kept of a run. Costs a look at a few labels for each call; a comparison is linear in its run, and comes
//! when a turn closes: in a long run not before an eighth more of it is known, so that all of them together stay linear.

mod baselines;
mod comparisons;
mod report;

pub use baselines::{BaselineRule, Baselines};
pub use comparisons::{ComparisonCounts, Comparisons};
pub use report::LiveReport;
