//! Two runs held against each other, and a run taken up again.
//!
//! ```text
//! Rollout ── Run::of ──▶ Run ─┐
//! Rollout ── Run::of ──▶ Run ─┴─ diff ──▶ Report: differences, each with its place and its cause; a verdict
//! ```
//!
//! Promises that two runs are aligned as sequences and never by index; that steps which ran at the same time are a set;
//! that digests of another key or form are never equal and never different, but counted as not comparable; and that a run
//! held against itself has no difference. Works on digests and labels alone: no content is read here. Costs time linear in
//! the steps of both runs for runs that are much alike, and never more than a bound beyond which the alignment is marked
//! as approximate. Nothing here does I/O or reads a clock.

mod again;
mod align;
mod cassette;
mod drift;
mod live;
mod recording;
mod restore;
mod retold;
mod run;
mod whole;

pub use again::{Breakpoint, Importance, ReplayOptions, ReplayStatus, Replayed, replay, replay_to};
pub use cassette::{
    Api, Cassette, Effect, Gathered, Gathering, Missing, Nearest, Provenance, Served, Streamed, ToolAnswer, ToolRefused,
};
pub use drift::{Difference, DifferenceKind, InputState, Report, Row, Unsure, Verdict, diff};
pub use live::{BaselineRule, Baselines, ComparisonCounts, Comparisons, LiveReport};
#[cfg(unix)]
pub use recording::PayloadsRead;
pub use recording::{
    Checkpoint, Cut, CutError, Gather, MAX_PAGES, NotOneRollout, Page, Pages, Recording, Side, importance, instant,
    pages,
};
pub use restore::{
    AgentState, GenAiHistory, GenericHistory, Kept, LangChainAgent, OpenCall, Restore, RestoreError, RestoreRefused,
    Restored, RigHistory, State, StateError, restorable, restore,
};
pub use retold::retold;
pub use run::{Field, Place, Run, RunEnd, Siblings, Step, StepKind, Told};
