//! One observation of a call, as one producer told it.

use bytestring::ByteString;
use smallvec::SmallVec;

use super::item::{HistoriesFact, InputFact, OutputFact};
use crate::event::{Arguments, At, Attrs, Key, Link, MarkKind, Measure, Outcome, SpanIds, Statement, Subject};

/// The opening of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reduce) struct Opening {
    pub(in crate::reduce) at: At,
    pub(in crate::reduce) span: SpanIds,
    pub(in crate::reduce) attrs: Attrs,
    pub(in crate::reduce) links: Vec<Link>,
    pub(in crate::reduce) policy: Option<ByteString>,
    pub(in crate::reduce) given: GivenFact,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reduce) enum GivenFact {
    Request(Box<InputFact>),
    Arguments(Arguments),
    Texts(Vec<Measure>),
}

/// What was observed inside a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reduce) struct MarkFact {
    pub(in crate::reduce) at: At,
    pub(in crate::reduce) kind: MarkKind,
    pub(in crate::reduce) attrs: Attrs,
    pub(in crate::reduce) noted: NotedFact,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reduce) enum NotedFact {
    Nothing,
    Decision { action: Measure, alternatives: Vec<Measure> },
    State(Measure),
    Message(Measure),
    Histories(Box<HistoriesFact>),
}

/// The end of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reduce) struct Closing {
    pub(in crate::reduce) at: At,
    pub(in crate::reduce) outcome: Option<Outcome>,
    pub(in crate::reduce) attrs: Attrs,
    pub(in crate::reduce) error: Measure,
    pub(in crate::reduce) links: Vec<Link>,
    pub(in crate::reduce) returned: ReturnedFact,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reduce) enum ReturnedFact {
    Answer(OutputFact),
    Result(Measure),
    Texts(Vec<Measure>),
}

/// Mostly one.
pub(in crate::reduce) type Mostly<T> = SmallVec<[T; 1]>;

/// What is told of a call: every version of each of its observations.
#[derive(Clone, Debug, Default)]
pub(in crate::reduce) struct CallTold {
    pub(in crate::reduce) openings: Mostly<Opening>,
    pub(in crate::reduce) marks: Vec<MarkFact>,
    pub(in crate::reduce) closings: Mostly<Closing>,
}

/// What is told of no call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reduce) enum Remark {
    Stated { subject: Subject, statement: Statement, attrs: Attrs },
    Unknown { name: ByteString },
    Quarantined { place: ByteString, reason: ByteString },
}

/// A remark, and where it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reduce) struct Remarked {
    pub(in crate::reduce) thread: ByteString,
    pub(in crate::reduce) turn: ByteString,
    pub(in crate::reduce) key: Key,
    pub(in crate::reduce) at: At,
    pub(in crate::reduce) remark: Remark,
}
