//! How much an event matters where nobody said.

use crate::event::{CallKind, Event, Kind, MarkKind, Outcome, Veiled};
use crate::semconv::IMPORTANCE;

/// How much an event matters, from 0 to 1: what its producer said (`veilspan.importance`, brought into these bounds where
/// it is a finite number), else by what it is.
///
/// | what | importance |
/// |---|---|
/// | an end that is an error | 0.9 |
/// | an end by refusal | 0.85 |
/// | a wait for a person | 0.75 |
/// | a decision | 0.7 |
/// | a checkpoint | 0.6 |
/// | a model request, a tool call, a code cell, a terminal operation | 0.5 |
/// | a turn | 0.45 |
/// | anything else | 0.3 |
pub fn importance(event: &Event<Veiled>) -> f64 {
    let attrs = match &event.kind {
        Kind::Opened(opened, _) => Some(&opened.attrs),
        Kind::Marked(mark) => Some(&mark.attrs),
        Kind::Closed(closed, _) => Some(&closed.attrs),
        _ => None,
    };
    let said = attrs.and_then(|attrs| attrs.get(IMPORTANCE)).filter(|said| said.is_finite());
    said.map_or_else(|| by_kind(event), |said| said.clamp(0.0, 1.0))
}

fn by_kind(event: &Event<Veiled>) -> f64 {
    match &event.kind {
        Kind::Closed(closed, _) if closed.outcome.is_some_and(Outcome::is_error) => 0.9,
        Kind::Closed(closed, _) if closed.outcome == Some(Outcome::Denied) => 0.85,
        Kind::Marked(mark) => match mark.kind {
            MarkKind::Decision => 0.7,
            MarkKind::Checkpoint => 0.6,
            _ => 0.3,
        },
        Kind::Opened(..) | Kind::Closed(..) => match event.key.kind {
            CallKind::Approval => 0.75,
            CallKind::Inference | CallKind::Tool | CallKind::CodeCell | CallKind::Terminal => 0.5,
            CallKind::Turn => 0.45,
            _ => 0.3,
        },
        _ => 0.3,
    }
}
