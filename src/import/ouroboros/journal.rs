//! A journal, read event by event.

use std::collections::HashMap;
use std::sync::Arc;

use bytestring::ByteString;

use super::event::{Data, Envelope, half};
use crate::event::{
    Arguments, Attrs, CallKind, CallRecord, Closed, Digest, Given, Input, Measure, Message, Outcome, Part, RawText,
    Request, ResultContent, Returned, Role, Scope, Veiled,
};
use crate::import::session::{
    Aside, AsideReason, Cut, Cutter, Desk, Recent, Set, Tally, Text, Told, Usage, moment, unix_nanos,
};
use crate::privacy::Tally as Cuts;
use crate::privacy::measure::Telling;
use crate::semconv::{
    CALLER, CONVERSATION_ID, END_INFERRED, ERROR_KIND, FINISH_REASONS, Field, MAX_TOKENS, MCP_SERVER, REQUEST_MODEL,
    TEMPERATURE, TOOL_NAME, TOOL_REQUESTER,
};

/// The calls that may be open at once; of more the rest are counted and left out.
const MAX_OPEN: usize = 1 << 16;
const MILLI: u64 = 1_000_000;

/// What is known of a call of which one half has come.
struct Half {
    record: Box<CallRecord<Veiled>>,
    opened: bool,
    closed: bool,
    duration: Option<u64>,
}

/// Reads a journal.
#[allow(missing_debug_implementations)]
pub struct Journal {
    desk: Desk,
    file: String,
    cutter: Cutter,
    open: HashMap<String, Half>,
    told: Recent<()>,
    /// Where what belongs to no call is set aside.
    nowhere: Arc<Scope>,
}

impl Journal {
    /// A journal in a file of this name.
    pub fn new(set: Set, file: &str) -> Self {
        let desk = Desk::new(set);
        let name = desk.label(file);
        let nowhere = Scope { tenant: None, rollout: name.clone(), thread: name, turn: ByteString::new() };
        Self {
            desk,
            file: file.to_owned(),
            cutter: Cutter::default(),
            open: HashMap::new(),
            told: Recent::new(1 << 18),
            nowhere: Arc::new(nowhere),
        }
    }

    /// Takes a portion of the file, cut anywhere.
    pub fn feed(&mut self, portion: &[u8]) {
        let mut cutter = std::mem::take(&mut self.cutter);
        cutter.feed(portion, |number, cut| self.line(number, &cut, false));
        self.cutter = cutter;
    }

    /// The file ends here, and nothing comes any more.
    pub fn finish(&mut self) {
        let mut cutter = std::mem::take(&mut self.cutter);
        cutter.finish(|number, cut| self.line(number, &cut, true));
        let mut rest: Vec<_> = self.open.drain().collect();
        rest.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (_, half) in rest {
            self.desk.call(whole(half));
        }
    }

    /// Nothing more is there for now: a call that has not returned is not told. Gives the number of those.
    pub fn leave(&mut self) -> u64 {
        let mut cutter = std::mem::take(&mut self.cutter);
        cutter.finish(|number, cut| match &cut {
            Cut::Line(line) if serde_json::from_slice::<Envelope<'_>>(line).is_err() => self.desk.tally.torn += 1,
            _ => self.line(number, &cut, true),
        });
        self.open.len() as u64
    }

    /// Sets a place of the file aside.
    pub fn aside(&mut self, line: u64, reason: AsideReason) {
        let (scope, file) = (Arc::clone(&self.nowhere), self.file.clone());
        self.desk.aside(&scope, &file, line, reason);
    }

    /// What has been read so far.
    pub fn tally(&self) -> Tally {
        self.desk.tally
    }

    /// What was set aside since this was asked last.
    pub fn take_asides(&mut self) -> Vec<Aside> {
        std::mem::take(&mut self.desk.asides)
    }

    /// The next thing that it tells.
    pub fn next_told(&mut self) -> Option<Told> {
        self.desk.next()
    }

    fn line(&mut self, number: u64, cut: &Cut<'_>, is_last: bool) {
        let reason = match cut {
            Cut::Oversize => AsideReason::Oversize,
            Cut::Line(line) => match self.event(line) {
                Ok(()) => return,
                Err(AsideReason::NotJson) if is_last => AsideReason::Truncated,
                Err(reason) => reason,
            },
        };
        self.aside(number, reason);
    }

    fn event(&mut self, line: &[u8]) -> Result<(), AsideReason> {
        if line.first() != Some(&b'{') {
            return Err(AsideReason::NotJson);
        }
        let event: Envelope<'_> = serde_json::from_slice(line)
            .map_err(|error| if error.is_data() { AsideReason::Field } else { AsideReason::NotJson })?;
        self.desk.tally.rows += 1;
        // A journal holds much else.
        let Some((kind, opens)) = half(event.kind.or_empty()) else { return Ok(()) };
        let data = event.said().ok_or(AsideReason::Field)?;
        let id = data.call_id.some().ok_or(AsideReason::Field)?;
        let at = unix_nanos(event.timestamp.or_empty()).ok_or(AsideReason::Field)?;
        if self.told.get(id).is_some() {
            self.desk.tally.replayed += 1;
            return Ok(());
        }
        if !self.open.contains_key(id) {
            if self.open.len() >= MAX_OPEN {
                self.desk.tally.over_bound += 1;
                return Ok(());
            }
            let scope = Arc::new(scope(&self.desk, &event, data));
            let attrs = Attrs::default();
            let record = self.desk.open(&scope, (kind, id), None, at, attrs).ok_or(AsideReason::Field)?;
            self.open.insert(id.to_owned(), Half { record, opened: false, closed: false, duration: None });
        }
        let Some(half) = self.open.get_mut(id) else { return Ok(()) };
        if half.record.kind != kind {
            return Err(AsideReason::Field);
        }
        if opens && !half.opened {
            opened(&self.desk, half, data, at);
        } else if !opens && !half.closed {
            closed(&self.desk, half, data, at);
        }
        if half.opened && half.closed {
            self.told.set(id, ());
            if let Some(half) = self.open.remove(id) {
                self.desk.call(whole(half));
            }
        }
        Ok(())
    }
}

fn scope(desk: &Desk, event: &Envelope<'_>, data: &Data<'_>) -> Scope {
    let ids = [&data.execution_id, &data.lineage_id, &data.session_id, &event.aggregate_id];
    let rollout = desk.label(ids.into_iter().find_map(Text::some).unwrap_or("journal"));
    let turn = format!("{}:{}", event.aggregate_type.or_empty(), event.aggregate_id.or_empty());
    Scope { tenant: None, thread: rollout.clone(), rollout, turn: desk.label(&turn) }
}

fn opened(desk: &Desk, half: &mut Half, data: &Data<'_>, at: u64) {
    half.opened = true;
    half.record.opened_at = moment(at);
    let attrs = &mut half.record.opened.attrs;
    labels(desk, attrs, data);
    if let Some(tokens) = data.max_tokens.0 {
        attrs.set(MAX_TOKENS, tokens);
    }
    if let Some(temperature) = data.temperature.0 {
        attrs.set(TEMPERATURE, temperature);
    }
    let cuts = Cuts::default();
    let telling = telling(desk, &cuts);
    half.record.given = match half.record.kind {
        CallKind::Inference => {
            Given::Request(data.prompt_hash.some().map(|hash| input(telling, hash)).unwrap_or_default())
        }
        _ => Given::Arguments(Arguments {
            digest: data.args_hash.some().and_then(|hash| reference(telling, Field::ToolArguments, hash)),
            ..Arguments::default()
        }),
    };
}

fn closed(desk: &Desk, half: &mut Half, data: &Data<'_>, at: u64) {
    half.closed = true;
    half.duration = data.duration_ms.0.and_then(|millis| u64::try_from(millis).ok());
    half.record.closed_at = moment(at);
    labels(desk, &mut half.record.opened.attrs, data);
    let closed = &mut half.record.closed;
    let count = |count: Option<i64>| count.filter(|count| *count >= 0);
    let usage =
        Usage { input: count(data.token_count_in.0), output: count(data.token_count_out.0), ..Usage::default() };
    usage.set(&mut closed.attrs);
    if let Some(reason) = data.finish_reason.some() {
        closed.attrs.set(FINISH_REASONS, vec![desk.reason(reason)]);
    }
    if let Some(kind) = data.error_kind.some() {
        closed.attrs.set(ERROR_KIND, desk.reason(kind));
    }
    closed.outcome = Some(match (data.is_failure(), data.error_kind.or_empty()) {
        (true, "CancelledError" | "KeyboardInterrupt") => Outcome::Cancelled,
        (true, "TimeoutError") => Outcome::Timeout,
        (true, _) => Outcome::Failed,
        (false, _) => Outcome::Completed,
    });
    let cuts = Cuts::default();
    let telling = telling(desk, &cuts);
    half.record.returned = match half.record.kind {
        CallKind::Inference => {
            let answer: Vec<Message> =
                data.completion_hash.some().map(|hash| referring(Role::Assistant, hash)).into_iter().collect();
            let mut output = telling.answer(&answer, &[]);
            output.items.iter_mut().for_each(|item| item.length = None);
            Returned::Answer(output)
        }
        _ => {
            let digest = data.result_hash.some().and_then(|hash| reference(telling, Field::ToolResults, hash));
            Returned::Result(Measure { digest, ..Measure::default() })
        }
    };
}

fn labels(desk: &Desk, attrs: &mut Attrs, data: &Data<'_>) {
    let named = [
        (REQUEST_MODEL, &data.model_id),
        (TOOL_NAME, &data.tool_name),
        (MCP_SERVER, &data.mcp_server),
        (CALLER, &data.caller),
        (CONVERSATION_ID, &data.session_id),
    ];
    for (attr, text) in named {
        if let Some(text) = text.some() {
            attrs.set(attr, desk.label(text));
        }
    }
    if data.tool_name.some().is_some() {
        attrs.set(TOOL_REQUESTER, ByteString::from_static("model"));
    }
}

fn telling<'a>(desk: &'a Desk, cuts: &'a Cuts) -> Telling<'a> {
    Telling::new(&desk.set.policy, desk.set.policy.hasher(), cuts)
}

fn referring(role: Role, hash: &str) -> Message {
    Message { role, parts: vec![Part::Reference(RawText::from(hash))] }
}

fn input(telling: Telling<'_>, hash: &str) -> Input {
    let request = Request { messages: vec![referring(Role::User, hash)], ..Request::default() };
    let mut input = telling.keyframe(&request);
    // The length is that of the hash.
    input.items.iter_mut().for_each(|item| item.length = None);
    input
}

fn reference(telling: Telling<'_>, class: Field, hash: &str) -> Option<Digest> {
    telling.measured(&[class], &ResultContent::Parts(vec![Part::Reference(RawText::from(hash))])).digest
}

/// A call of both halves, or of the one that came.
fn whole(half: Half) -> Box<CallRecord<Veiled>> {
    let Half { mut record, opened, closed, duration } = half;
    let took = duration.unwrap_or(0).saturating_mul(MILLI);
    if !closed {
        let mut attrs = Attrs::default();
        attrs.set(END_INFERRED, true);
        let at = record.opened_at;
        let end = Closed { outcome: Some(Outcome::Abandoned), attrs, ..Closed::default() };
        record.close(at, end, Returned::empty(record.kind));
    } else if !opened {
        record.opened_at = moment(record.closed_at.time_unix_nano.saturating_sub(took));
    } else if record.closed_at < record.opened_at {
        // The clock was set back; the time that the call took is monotonic.
        record.closed_at = moment(record.opened_at.time_unix_nano.saturating_add(took));
    }
    record
}
