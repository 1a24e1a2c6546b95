//! Events as rows, and rows as observations.

use super::observation::{CallTold, Closing, GivenFact, MarkFact, NotedFact, Opening, Remark, Remarked, ReturnedFact};
use super::reading::Reading;
use super::row::{RowReader, RowWriter, algorithm_byte, algorithm_of};
use super::tables::Tables;
use crate::event::{
    Arguments, At, Closed, EdgeKind, Event, Given, Kind, Link, Mark, MarkKind, Measure, Noted, Opened, Outcome,
    Returned, SpanId, SpanIds, Statement, Subject, TraceId, Veiled,
};

/// What is told of a call: the last two bits of a row's first byte.
pub(super) const OPENED: u8 = 0;
const MARKED: u8 = 1;
pub(super) const CLOSED: u8 = 2;
pub(super) const WHAT: u8 = 3;
/// It was observed when the call was told of first, by the same.
const AT_BASE: u8 = 4;
/// From here on stands what the call was given, what was noted in it or what it returned; then what there is beside that.
pub(super) const CONTENT: u8 = 3;
pub(super) const OF_CONTENT: u8 = 3;
const OF_MARK: u8 = 7;
pub(super) const HAS_LINKS: u8 = 1 << 5;
pub(super) const HAS_POLICY: u8 = 1 << 6;
pub(super) const HAS_ERROR: u8 = 1 << 6;
pub(super) const PARENT_IS_REMOTE: u8 = 1 << 7;
/// Of what is no opening: it was told at another time than the call was first, by the same producer.
const IS_BY_SAME: u8 = 1 << 7;

/// What is told of no call.
const STATED: u8 = 0;
const UNKNOWN: u8 = 1;
const QUARANTINED: u8 = 2;

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
        let first = match &event.kind {
            Kind::Opened(opened, given) => {
                let content = match given {
                    Given::Request(_) => 0,
                    Given::Arguments(_) => 1,
                    Given::Texts(_) => 2,
                };
                let links = flag(HAS_LINKS, !opened.links.is_empty());
                let policy = flag(HAS_POLICY, opened.policy.is_some());
                OPENED | content << CONTENT | links | policy | flag(PARENT_IS_REMOTE, opened.span.parent_is_remote)
            }
            Kind::Marked(mark) => {
                let content = match &mark.noted {
                    Noted::Nothing => 0,
                    Noted::Decision { .. } => 1,
                    Noted::State(_) => 2,
                    Noted::Message(_) => 3,
                    Noted::Histories(_) => 4,
                };
                MARKED | content << CONTENT
            }
            Kind::Closed(closed, returned) => {
                let content = match returned {
                    Returned::Answer(output) if output.blobs.is_empty() => 0,
                    Returned::Result(_) => 1,
                    Returned::Texts(_) => 2,
                    Returned::Answer(_) => 3,
                };
                let links = flag(HAS_LINKS, !closed.links.is_empty());
                let has_error = closed.error.digest.is_some() || closed.error.length.is_some();
                CLOSED | content << CONTENT | links | flag(HAS_ERROR, has_error)
            }
            _ => return None,
        };
        if event.at == *base {
            row.byte(first | AT_BASE);
        } else {
            let is_by_same = first & WHAT != OPENED && event.at.producer == base.producer;
            row.byte(first | flag(IS_BY_SAME, is_by_same));
            self.at_since(base, event.at, is_by_same, row)?;
        }
        match &event.kind {
            Kind::Opened(opened, given) => self.opened(opened, given, row),
            Kind::Marked(mark) => self.marked(mark, row),
            Kind::Closed(closed, returned) => self.closed(closed, returned, row),
            _ => None,
        }
    }

    /// When a row was told that begins with this byte.
    #[inline]
    pub(super) fn read_at_of(&self, first: u8, base: &At, row: &mut RowReader<'_>) -> At {
        if first & AT_BASE != 0 {
            return *base;
        }
        self.read_at_since(base, first & WHAT != OPENED && first & IS_BY_SAME != 0, row)
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
        self.attrs(&opened.attrs, row)?;
        if !opened.links.is_empty() {
            self.links(&opened.links, row)?;
        }
        if let Some(policy) = &opened.policy {
            self.text(policy, row)?;
        }
        match given {
            Given::Request(input) => self.input(input, row)?,
            Given::Arguments(arguments) => {
                optional_digest(arguments.digest.as_ref(), row);
                optional_digest(arguments.exact.as_ref(), row);
                row.optional(arguments.length);
            }
            Given::Texts(texts) => measures(texts, row),
        }
        Some(())
    }

    fn marked(&mut self, mark: &Mark<Veiled>, row: &mut RowWriter) -> Option<()> {
        row.byte(MarkKind::ALL.iter().position(|kind| *kind == mark.kind).unwrap_or_default() as u8);
        self.attrs(&mark.attrs, row)?;
        match &mark.noted {
            Noted::Nothing => {}
            Noted::Decision { action, alternatives } => {
                measure(action, row);
                measures(alternatives, row);
            }
            Noted::State(one) | Noted::Message(one) => measure(one, row),
            Noted::Histories(histories) => self.histories(histories, row)?,
        }
        Some(())
    }

    fn closed(&mut self, closed: &Closed<Veiled>, returned: &Returned<Veiled>, row: &mut RowWriter) -> Option<()> {
        row.byte(outcome_byte(closed.outcome));
        self.attrs(&closed.attrs, row)?;
        if closed.error.digest.is_some() || closed.error.length.is_some() {
            measure(&closed.error, row);
        }
        if !closed.links.is_empty() {
            self.links(&closed.links, row)?;
        }
        match returned {
            Returned::Answer(output) => self.output(output, row)?,
            Returned::Result(result) => measure(result, row),
            Returned::Texts(texts) => measures(texts, row),
        }
        Some(())
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
        let first = row.byte();
        let at = self.tables().read_at_of(first, base, row);
        let content = first >> CONTENT;
        match first & WHAT {
            OPENED => told.openings.push(Opening {
                at,
                span: self.read_span(first & PARENT_IS_REMOTE != 0, row),
                // They are completed by those of its end, which mostly has been read by now.
                attrs: self.read_attrs(row, told.closings.first().map_or(0, |closing| closing.attrs.len())),
                links: if first & HAS_LINKS == 0 { Vec::new() } else { self.read_links(row) },
                policy: (first & HAS_POLICY != 0).then(|| self.read_text(row)),
                given: match content & OF_CONTENT {
                    0 => GivenFact::Request(Box::new(self.tables().read_input(row))),
                    1 => GivenFact::Arguments(read_arguments(row)),
                    _ => GivenFact::Texts(read_measures(row)),
                },
            }),
            MARKED => told.marks.push(MarkFact {
                at,
                kind: MarkKind::ALL.get(usize::from(row.byte())).copied().unwrap_or(MarkKind::Decision),
                attrs: self.read_attrs(row, 0),
                noted: match content & OF_MARK {
                    0 => NotedFact::Nothing,
                    1 => NotedFact::Decision { action: read_measure(row), alternatives: read_measures(row) },
                    2 => NotedFact::State(read_measure(row)),
                    3 => NotedFact::Message(read_measure(row)),
                    _ => NotedFact::Histories(Box::new(self.tables().read_histories(row))),
                },
            }),
            _ => told.closings.push(Closing {
                at,
                outcome: outcome_of(row.byte()),
                attrs: self.read_attrs(row, 0),
                error: if first & HAS_ERROR == 0 { Measure::default() } else { read_measure(row) },
                links: if first & HAS_LINKS == 0 { Vec::new() } else { self.read_links(row) },
                returned: match content & OF_CONTENT {
                    0 => ReturnedFact::Answer(self.tables().read_output(false, row)),
                    1 => ReturnedFact::Result(read_measure(row)),
                    2 => ReturnedFact::Texts(read_measures(row)),
                    _ => ReturnedFact::Answer(self.tables().read_output(true, row)),
                },
            }),
        }
    }

    /// What a row tells that is about no call.
    pub(super) fn read_remark(&self, bytes: &[u8]) -> Remarked {
        let row = &mut RowReader { rest: bytes };
        let what = row.byte();
        let at = self.tables().read_at(row);
        let key = self.tables().read_key(row);
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
                Remark::Stated { subject, statement, attrs: self.read_attrs(row, 0) }
            }
            UNKNOWN => Remark::Unknown { name: self.read_text(row) },
            _ => Remark::Quarantined { place: self.read_text(row), reason: self.read_text(row) },
        };
        Remarked { thread, turn, key, at, remark }
    }

    pub(super) fn read_span(&self, parent_is_remote: bool, row: &mut RowReader<'_>) -> SpanIds {
        let trace = self.tables().read_trace(row);
        let span = SpanId::from_bytes(row.raw());
        let parent = self.tables().read_parent(row);
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

const fn flag(flag: u8, is_set: bool) -> u8 {
    if is_set { flag } else { 0 }
}

fn optional_digest(digest: Option<&crate::event::Digest>, row: &mut RowWriter) {
    match digest {
        None => row.byte(0),
        Some(digest) => {
            row.byte(1 + algorithm_byte(digest.algorithm));
            row.raw(&digest.bytes);
        }
    }
}

fn read_optional_digest(row: &mut RowReader<'_>) -> Option<crate::event::Digest> {
    let algorithm = algorithm_of(row.byte().checked_sub(1)?);
    Some(crate::event::Digest { algorithm, bytes: row.raw() })
}

pub(super) fn read_arguments(row: &mut RowReader<'_>) -> Arguments {
    Arguments {
        digest: read_optional_digest(row),
        exact: read_optional_digest(row),
        length: row.optional(),
        ..Arguments::default()
    }
}

fn measure(measure: &Measure, row: &mut RowWriter) {
    optional_digest(measure.digest.as_ref(), row);
    row.optional(measure.length);
}

pub(super) fn read_measure(row: &mut RowReader<'_>) -> Measure {
    Measure { digest: read_optional_digest(row), length: row.optional(), ..Measure::default() }
}

fn measures(all: &[Measure], row: &mut RowWriter) {
    row.number(all.len() as u64);
    all.iter().for_each(|one| measure(one, row));
}

fn read_measures(row: &mut RowReader<'_>) -> Vec<Measure> {
    (0..row.count()).map(|_| read_measure(row)).collect()
}

fn outcome_byte(outcome: Option<Outcome>) -> u8 {
    let place = outcome.and_then(|outcome| Outcome::ALL.iter().position(|known| *known == outcome));
    place.map_or(0, |place| place as u8 + 1)
}

pub(super) fn outcome_of(byte: u8) -> Option<Outcome> {
    Outcome::ALL.get(usize::from(byte.checked_sub(1)?)).copied()
}

const fn subject_byte(subject: Subject) -> u8 {
    match subject {
        Subject::Rollout => 0,
        Subject::Thread => 1,
    }
}
