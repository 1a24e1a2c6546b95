//! One half of a call, as one producer told it.

use bytestring::ByteString;

use super::detach::{detach, detach_attrs, detach_input, detach_measure, detach_output};
use crate::event::{
    Arguments, At, Attrs, CallKind, Closed, Given, Input, Kind, Link, Measure, Opened, Outcome, Output, Returned,
    Shown, SpanIds, Veiled,
};

/// The opening of a call. Sorted by time, producer and count before anything else: derivation relies on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::reduce) struct Opening {
    pub(in crate::reduce) at: At,
    pub(in crate::reduce) span: SpanIds,
    pub(in crate::reduce) body: OpenBody,
    pub(in crate::reduce) attrs: Attrs,
    pub(in crate::reduce) links: Vec<Link>,
    pub(in crate::reduce) policy: Option<ByteString>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::reduce) enum OpenBody {
    Turn,
    Inference(Box<Input>),
    Tool(Arguments),
}

/// The end of a call. Sorted by time, producer and count before anything else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::reduce) struct Closing {
    pub(in crate::reduce) at: At,
    pub(in crate::reduce) outcome: Option<Outcome>,
    pub(in crate::reduce) body: CloseBody,
    pub(in crate::reduce) attrs: Attrs,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::reduce) enum CloseBody {
    Turn,
    Inference(Output),
    Tool(Measure),
}

/// What an event tells of a call.
pub(in crate::reduce) enum Observation {
    Opening(Opening),
    Closing(Closing),
}

impl Observation {
    /// Nothing where the event is about no turn, inference or tool call.
    pub(in crate::reduce) fn of(call: CallKind, kind: &Kind<Veiled>, at: At) -> Option<Self> {
        match kind {
            Kind::Opened(opened, given) => {
                let body = match (call, given) {
                    (CallKind::Turn, _) => OpenBody::Turn,
                    (CallKind::Inference, Given::Request(input)) => OpenBody::Inference(Box::new(detach_input(input))),
                    (CallKind::Tool, Given::Arguments(arguments)) => {
                        OpenBody::Tool(Arguments { shown: Shown::NOTHING, ..arguments.clone() })
                    }
                    _ => return None,
                };
                Some(opening(at, opened, body))
            }
            Kind::Closed(closed, returned) => {
                let body = match (call, returned) {
                    (CallKind::Turn, _) => CloseBody::Turn,
                    (CallKind::Inference, Returned::Answer(output)) => CloseBody::Inference(detach_output(output)),
                    (CallKind::Tool, Returned::Result(result)) => CloseBody::Tool(detach_measure(result)),
                    _ => return None,
                };
                Some(closing(at, closed, body))
            }
            Kind::Marked(_) | Kind::Learned(_) | Kind::Tick | Kind::Unknown { .. } => None,
        }
    }
}

fn opening(at: At, opened: &Opened<Veiled>, body: OpenBody) -> Observation {
    Observation::Opening(Opening {
        at,
        span: opened.span,
        body,
        attrs: detach_attrs(&opened.attrs),
        links: opened.links.clone(),
        policy: opened.policy.as_ref().map(detach),
    })
}

fn closing(at: At, closed: &Closed<Veiled>, body: CloseBody) -> Observation {
    Observation::Closing(Closing { at, outcome: closed.outcome, body, attrs: detach_attrs(&closed.attrs) })
}
