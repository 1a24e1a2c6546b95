//! One difference between two runs.

use std::fmt;

use bytestring::ByteString;

use crate::reduce::Severity;
use crate::replay::run::{Field, Place, StepKind};
use crate::semconv::KeyId;

/// One difference between two runs. Holds digests, checked labels and numbers alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// What differs.
    pub kind: DifferenceKind,
    /// How much it matters (`veilspan.finding.severity`).
    pub severity: Severity,
    /// What kind of step it is about.
    pub step: StepKind,
    /// What a person calls that step: the tool, the model, the agent.
    pub name: Option<ByteString>,
    /// What the baseline has.
    pub expected: Option<ByteString>,
    /// What the candidate has.
    pub actual: Option<ByteString>,
    /// Where the step stands in the baseline; nothing where it was inserted.
    pub baseline: Option<Place>,
    /// Where it stands in the candidate; nothing where it was left out.
    pub candidate: Option<Place>,
    /// Its index among the steps beside it in the baseline and in the candidate; in the run that lacks it the index that
    /// it would have.
    pub position: [u64; 2],
    /// Of an insertion or deletion: how many steps it is with those below it. Otherwise 1.
    pub steps: u64,
    /// Whether what the step was given had already changed.
    pub input: InputState,
    /// The difference that it follows from, as a place in [`Report::differences`](super::Report::differences); nothing
    /// where it is the first of its kind: an origin.
    pub since: Option<usize>,
    /// The change by which it is meant to be there (`veilspan.replay.intended`). Such a difference is no drift.
    pub intended: Option<ByteString>,
}

impl Difference {
    /// Whether it makes two runs different, and is neither meant nor a matter of time and cost.
    pub fn is_drift(&self) -> bool {
        self.intended.is_none() && self.severity >= Severity::Warning
    }
}

/// What differs (`veilspan.finding.kind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DifferenceKind {
    /// A step that the baseline does not have.
    Insertion,
    /// A step that the candidate does not have.
    Deletion,
    /// A step of another kind stands in its place.
    Substitution,
    /// A model was sent something else, and no earlier difference says why.
    Input,
    /// A field of the step.
    Field(Field),
}

impl DifferenceKind {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Insertion => "insertion",
            Self::Deletion => "deletion",
            Self::Substitution => "substitution",
            Self::Input => "input",
            Self::Field(field) => field.as_str(),
        }
    }

    /// Of a parameter: which one.
    pub const fn parameter(self) -> Option<KeyId> {
        match self {
            Self::Field(Field::Parameter(id)) => Some(id),
            _ => None,
        }
    }
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        match self.parameter() {
            Some(id) => write!(f, " {}", id.name().key),
            None => Ok(()),
        }
    }
}

/// Whether what a step was given had already changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InputState {
    /// It was given the same: the same input led to something else.
    Same,
    /// It was given something else: what differs may follow from that.
    Changed,
    /// Nothing tells.
    Unknown,
}

impl InputState {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Unknown => "unknown",
        }
    }
}
