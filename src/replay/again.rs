//! The events after a cut, told again in order. Nothing is run: what a tool did is told, not done.

use bytestring::ByteString;

use super::drift::NOISE;
use super::recording::{Cut, Recording, Side, importance};
use super::run::StepKind;
use crate::event::{Event, Kind, MarkKind, Veiled};
use crate::semconv::{DECISION_CONFIDENCE, TOOL_NAME};

/// What an event matters to whoever replays, on the scale of [`importance`]; nothing where it matters as ever.
pub type Importance = fn(&Event<Veiled>) -> Option<f64>;

/// What of a recording is told again.
#[derive(Clone, Debug, Default)]
pub struct ReplayOptions {
    /// Events that matter less are left out; see [`importance`]. One that matters as much is told.
    pub min_importance: f64,
    /// What an event matters to whoever replays, instead; where that is nothing, it matters as ever.
    pub importance: Option<Importance>,
    /// Where a person wants to look.
    pub breakpoints: Vec<Breakpoint>,
}

/// Where a person wants to look.
#[derive(Clone, Debug, PartialEq)]
pub enum Breakpoint {
    /// At the calls of a tool.
    Tool(ByteString),
    /// At steps of a kind.
    Kind(StepKind),
    /// At decisions that were no surer than this. One that does not say how sure it was is none.
    Confidence(f64),
}

impl Breakpoint {
    fn is_at(&self, event: &Event<Veiled>) -> bool {
        match (self, &event.kind) {
            (Self::Tool(tool), Kind::Opened(opened, _)) => opened.attrs.text(TOOL_NAME) == Some(&**tool),
            (Self::Kind(StepKind::Call(kind)), Kind::Opened(..)) => event.key.kind == *kind,
            (Self::Kind(StepKind::Decision), Kind::Marked(mark)) => mark.kind == MarkKind::Decision,
            (Self::Confidence(bound), Kind::Marked(mark)) => {
                mark.attrs.get(DECISION_CONFIDENCE).is_some_and(|confidence| confidence <= *bound + NOISE)
            }
            _ => false,
        }
    }
}

/// How a replay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayStatus {
    /// All was told.
    Completed,
    /// Whoever was told did not want more.
    Cancelled,
}

/// What was told again.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The events that were told, in order.
    pub events: Vec<Event<Veiled>>,
    /// How it ended.
    pub status: ReplayStatus,
    /// Which of the events are at a breakpoint, by their place among them.
    pub breakpoints: Vec<usize>,
    /// How many events are on no side of the cut: nothing orders them, and they were left out.
    pub unordered: u64,
    /// How many events matter too little.
    pub unimportant: u64,
    /// Whether the recording itself is not whole.
    pub incomplete: bool,
}

/// Tells the events after a cut again, one by one, until `wants_more` says no: that event is not among those told.
pub fn replay(
    recording: &Recording,
    cut: &Cut,
    options: &ReplayOptions,
    mut wants_more: impl FnMut(&Event<Veiled>) -> bool,
) -> Replayed {
    let mut replayed = Replayed::of(recording);
    for event in recording.events() {
        if replayed.selects(event, cut, options) {
            if !wants_more(event) {
                replayed.status = ReplayStatus::Cancelled;
                break;
            }
            replayed.take(event, options);
        }
    }
    replayed
}

/// The same, told to something that has to be waited for.
pub async fn replay_to(
    recording: &Recording,
    cut: &Cut,
    options: &ReplayOptions,
    mut wants_more: impl AsyncFnMut(&Event<Veiled>) -> bool,
) -> Replayed {
    let mut replayed = Replayed::of(recording);
    for event in recording.events() {
        if replayed.selects(event, cut, options) {
            if !wants_more(event).await {
                replayed.status = ReplayStatus::Cancelled;
                break;
            }
            replayed.take(event, options);
        }
    }
    replayed
}

impl Replayed {
    fn of(recording: &Recording) -> Self {
        Self {
            events: Vec::new(),
            status: ReplayStatus::Completed,
            breakpoints: Vec::new(),
            unordered: 0,
            unimportant: 0,
            incomplete: recording.incomplete,
        }
    }

    fn selects(&mut self, event: &Event<Veiled>, cut: &Cut, options: &ReplayOptions) -> bool {
        match cut.side(event.at) {
            Side::Before => false,
            Side::Unordered => {
                self.unordered += 1;
                false
            }
            Side::After => {
                let own = options.importance.and_then(|importance| importance(event)).filter(|own| own.is_finite());
                let matters = own.unwrap_or_else(|| importance(event)) >= options.min_importance - NOISE;
                self.unimportant += u64::from(!matters);
                matters
            }
        }
    }

    fn take(&mut self, event: &Event<Veiled>, options: &ReplayOptions) {
        if options.breakpoints.iter().any(|breakpoint| breakpoint.is_at(event)) {
            self.breakpoints.push(self.events.len());
        }
        self.events.push(event.clone());
    }
}
