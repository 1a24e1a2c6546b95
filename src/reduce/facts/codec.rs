//! Events as rows, and rows as observations.

use super::observation::{CallTold, Closing, GivenFact, MarkFact, NotedFact, Opening, Remark, Remarked, ReturnedFact};
use super::reading::Reading;
use super::row::{RowReader, RowWriter, algorithm_byte, algorithm_of};
use super::tables::Tables;
use crate::event::{
    Arguments, At, CallKind, Closed, EdgeKind, Event, Given, Kind, Link, Mark, MarkKind, Measure, Noted, Opened,
    Outcome, Returned, SpanId, SpanIds, Statement, Subject, TraceId, Veiled,
};

const OPENED: u8 = 0;
const MARKED: u8 = 1;
const CLOSED: u8 = 2;
const STATED: u8 = 3;
const UNKNOWN: u8 = 4;
const QUARANTINED: u8 = 5;

/// Whether an event is about a call; nothing where it tells nothing.
pub(super) fn is_of_call(kind: &Kind<Veiled>) -> Option<bool> {
    match kind {
        Kind::Opened(..) | Kind::Marked(_) | Kind::Closed(..) => Some(true),
        Kind::Stated { .. } | Kind::Unknown { .. } | Kind::Quarantined { .. } => Some(false),
        _ => None,
    }
}

/// Whether an event tells anything that is kept.
pub(in crate::reduce) fn is_fact(kind: &Kind<Veiled>) -> bool {
    is_of_call(kind).is_some()
}

impl Tables {
    /// Writes what is told of a call, beside what all rows of the call have in common. Nothing where a table is full.
    pub(super) fn write(&mut self, event: &Event<Veiled>, base: &At, row: &mut RowWriter) -> Option<()> {
        let what = match &event.kind {
            Kind::Opened(..) => OPENED,
            Kind::Marked(_) => MARKED,
            Kind::Closed(..) => CLOSED,
            _ => return None,
        };
        row.byte(what);
        self.at_since(base, event.at, row)?;
        match &event.kind {
            Kind::Opened(opened, given) => self.opened(opened, given, row),
            Kind::Marked(mark) => self.marked(mark, row),
            Kind::Closed(closed, returned) => self.closed(closed, returned, row),
            _ => None,
        }
    }

    /// Writes what is told of no call.
    pub(super) fn write_remark(&mut self, event: &Event<Veiled>, row: &mut RowWriter) -> Option<()> {
        let what = match &event.kind {
            Kind::Stated { .. } => STATED,
            Kind::Unknown { .. } => UNKNOWN,
            Kind::Quarantined { .. } => QUARANTINED,
            _ => return None,
        };
        row.byte(what);
        self.at(event.at, row)?;
        row.byte(kind_byte(event.key.kind));
        self.key(event.key, row)?;
        self.text(&event.scope.thread, row)?;
        self.text(&event.scope.turn, row)?;
        match &event.kind {
            Kind::Stated { subject, statement, attrs } => {
                row.byte(subject_byte(*subject));
                let (word, outcome) = match statement {
                    Statement::Began => (0, None),
                    Statement::Ended(outcome) => (1, *outcome),
                    Statement::Evidence => (2, None),
                };
                row.byte(word);
                row.byte(outcome_byte(outcome));
                self.attrs(attrs, row)
            }
            Kind::Unknown { name } => self.text(name, row),
            Kind::Quarantined { place, reason } => {
                self.text(place, row)?;
                self.text(reason, row)
            }
            _ => None,
        }
    }

    fn opened(&mut self, opened: &Opened<Veiled>, given: &Given<Veiled>, row: &mut RowWriter) -> Option<()> {
        self.trace(opened.span.trace, row)?;
        row.raw(opened.span.span.as_bytes());
        self.parent(opened.span.parent, row)?;
        row.byte(u8::from(opened.span.parent_is_remote));
        self.attrs(&opened.attrs, row)?;
        self.links(&opened.links, row)?;
        self.optional_text(opened.policy.as_ref(), row)?;
        match given {
            Given::Request(input) => {
                row.byte(0);
                self.input(input, row)
            }
            Given::Arguments(arguments) => {
                row.byte(1);
                optional_digest(arguments.digest.as_ref(), row);
                optional_digest(arguments.exact.as_ref(), row);
                row.optional(arguments.length);
                Some(())
            }
            Given::Texts(texts) => {
                row.byte(2);
                measures(texts, row);
                Some(())
            }
        }
    }

    fn marked(&mut self, mark: &Mark<Veiled>, row: &mut RowWriter) -> Option<()> {
        row.byte(MarkKind::ALL.iter().position(|kind| *kind == mark.kind).unwrap_or_default() as u8);
        self.attrs(&mark.attrs, row)?;
        match &mark.noted {
            Noted::Nothing => row.byte(0),
            Noted::Decision { action, alternatives } => {
                row.byte(1);
                measure(action, row);
                measures(alternatives, row);
            }
            Noted::State(state) => {
                row.byte(2);
                measure(state, row);
            }
            Noted::Message(message) => {
                row.byte(3);
                measure(message, row);
            }
            Noted::Histories(histories) => {
                row.byte(4);
                self.histories(histories, row)?;
            }
        }
        Some(())
    }

    fn closed(&mut self, closed: &Closed<Veiled>, returned: &Returned<Veiled>, row: &mut RowWriter) -> Option<()> {
        row.byte(outcome_byte(closed.outcome));
        self.attrs(&closed.attrs, row)?;
        measure(&closed.error, row);
        self.links(&closed.links, row)?;
        match returned {
            Returned::Answer(output) => {
                row.byte(0);
                self.output(output, row)
            }
            Returned::Result(result) => {
                row.byte(1);
                measure(result, row);
                Some(())
            }
            Returned::Texts(texts) => {
                row.byte(2);
                measures(texts, row);
                Some(())
            }
        }
    }

    fn links(&mut self, links: &[Link], row: &mut RowWriter) -> Option<()> {
        row.number(links.len() as u64);
        for link in links {
            self.trace(link.trace, row)?;
            row.raw(link.span.as_bytes());
            let kind = link.kind.and_then(|kind| EdgeKind::ALL.iter().position(|known| *known == kind));
            row.byte(kind.map_or(0, |place| place as u8 + 1));
        }
        Some(())
    }
}

impl Reading<'_> {
    /// Adds what a row tells to what is told of its call.
    pub(super) fn read(&self, base: &At, bytes: &[u8], told: &mut CallTold) {
        let row = &mut RowReader { rest: bytes };
        let what = row.byte();
        let at = self.tables().read_at_since(base, row);
        match what {
            OPENED => one_more(&mut told.openings).push(Opening {
                at,
                span: self.read_span(row),
                attrs: self.read_attrs(row),
                links: self.read_links(row),
                policy: self.read_optional_text(row),
                given: match row.byte() {
                    0 => GivenFact::Request(Box::new(self.tables().read_input(row))),
                    1 => GivenFact::Arguments(Arguments {
                        digest: read_optional_digest(row),
                        exact: read_optional_digest(row),
                        length: row.optional(),
                        ..Arguments::default()
                    }),
                    _ => GivenFact::Texts(read_measures(row)),
                },
            }),
            MARKED => told.marks.push(MarkFact {
                at,
                kind: MarkKind::ALL.get(usize::from(row.byte())).copied().unwrap_or(MarkKind::Decision),
                attrs: self.read_attrs(row),
                noted: match row.byte() {
                    0 => NotedFact::Nothing,
                    1 => NotedFact::Decision { action: read_measure(row), alternatives: read_measures(row) },
                    2 => NotedFact::State(read_measure(row)),
                    3 => NotedFact::Message(read_measure(row)),
                    _ => NotedFact::Histories(Box::new(self.tables().read_histories(row))),
                },
            }),
            _ => one_more(&mut told.closings).push(Closing {
                at,
                outcome: outcome_of(row.byte()),
                attrs: self.read_attrs(row),
                error: read_measure(row),
                links: self.read_links(row),
                returned: match row.byte() {
                    0 => ReturnedFact::Answer(self.tables().read_output(row)),
                    1 => ReturnedFact::Result(read_measure(row)),
                    _ => ReturnedFact::Texts(read_measures(row)),
                },
            }),
        }
    }

    /// What a row tells that is about no call.
    pub(super) fn read_remark(&self, bytes: &[u8]) -> Remarked {
        let row = &mut RowReader { rest: bytes };
        let what = row.byte();
        let at = self.tables().read_at(row);
        let kind = kind_of(row.byte());
        let key = self.tables().read_key(kind, row);
        let (thread, turn) = (self.read_text(row), self.read_text(row));
        let remark = match what {
            STATED => {
                let subject = if row.byte() == 0 { Subject::Rollout } else { Subject::Thread };
                let (word, outcome) = (row.byte(), outcome_of(row.byte()));
                let statement = match word {
                    0 => Statement::Began,
                    1 => Statement::Ended(outcome),
                    _ => Statement::Evidence,
                };
                Remark::Stated { subject, statement, attrs: self.read_attrs(row) }
            }
            UNKNOWN => Remark::Unknown { name: self.read_text(row) },
            _ => Remark::Quarantined { place: self.read_text(row), reason: self.read_text(row) },
        };
        Remarked { thread, turn, key, at, remark }
    }

    fn read_span(&self, row: &mut RowReader<'_>) -> SpanIds {
        let trace = self.tables().read_trace(row);
        let span = SpanId::from_bytes(row.raw());
        let parent = self.tables().read_parent(row);
        let parent_is_remote = row.byte() == 1;
        // No row is written without them.
        let trace = trace.unwrap_or_else(TraceId::random);
        let span = span.unwrap_or_else(SpanId::random);
        SpanIds { trace, span, parent, parent_is_remote }
    }

    fn read_links(&self, row: &mut RowReader<'_>) -> Vec<Link> {
        let link = |row: &mut RowReader<'_>| {
            let (trace, span) = (self.tables().read_trace(row), SpanId::from_bytes(row.raw()));
            let kind = row.byte().checked_sub(1).and_then(|place| EdgeKind::ALL.get(usize::from(place)).copied());
            Some(Link { trace: trace?, span: span?, kind })
        };
        (0..row.count()).filter_map(|_| link(row)).collect()
    }
}

/// Room for another. Mostly there is one.
fn one_more<T>(all: &mut Vec<T>) -> &mut Vec<T> {
    if all.is_empty() {
        all.reserve_exact(1);
    }
    all
}

pub(super) fn optional_digest(digest: Option<&crate::event::Digest>, row: &mut RowWriter) {
    match digest {
        None => row.byte(0),
        Some(digest) => {
            row.byte(1 + algorithm_byte(digest.algorithm));
            row.raw(&digest.bytes);
        }
    }
}

pub(super) fn read_optional_digest(row: &mut RowReader<'_>) -> Option<crate::event::Digest> {
    let algorithm = algorithm_of(row.byte().checked_sub(1)?);
    Some(crate::event::Digest { algorithm, bytes: row.raw() })
}

fn measure(measure: &Measure, row: &mut RowWriter) {
    optional_digest(measure.digest.as_ref(), row);
    row.optional(measure.length);
}

fn read_measure(row: &mut RowReader<'_>) -> Measure {
    Measure { digest: read_optional_digest(row), length: row.optional(), ..Measure::default() }
}

fn measures(all: &[Measure], row: &mut RowWriter) {
    row.number(all.len() as u64);
    all.iter().for_each(|one| measure(one, row));
}

fn read_measures(row: &mut RowReader<'_>) -> Vec<Measure> {
    (0..row.count()).map(|_| read_measure(row)).collect()
}

pub(super) fn kind_byte(kind: CallKind) -> u8 {
    CallKind::ALL.iter().position(|known| *known == kind).unwrap_or_default() as u8
}

pub(super) fn kind_of(byte: u8) -> CallKind {
    CallKind::ALL.get(usize::from(byte)).copied().unwrap_or(CallKind::Turn)
}

fn outcome_byte(outcome: Option<Outcome>) -> u8 {
    let place = outcome.and_then(|outcome| Outcome::ALL.iter().position(|known| *known == outcome));
    place.map_or(0, |place| place as u8 + 1)
}

fn outcome_of(byte: u8) -> Option<Outcome> {
    Outcome::ALL.get(usize::from(byte.checked_sub(1)?)).copied()
}

const fn subject_byte(subject: Subject) -> u8 {
    match subject {
        Subject::Rollout => 0,
        Subject::Thread => 1,
    }
}
