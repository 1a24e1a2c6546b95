//! What was read, on its way to a peer or to stdout, and what is said of it at the end.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytestring::ByteString;

use super::super::Failure;
use super::super::outlet::{Outlet, Taken};
use super::findings::Findings;
use super::ledger::{Ledger, state_folder};
use super::read::Taker;
use super::report::Report;
use crate::environment::Environment;
use crate::event::{CallKind, CallRecord, Event, ProducerId, SpanIds, Veiled};
use crate::import::session::Told;
use crate::otlp::encode;
use crate::semconv::{INPUT_TOKENS, OUTPUT_TOKENS};

/// The calls that are sent at once.
const BATCH: usize = 4096;

/// Sends calls, and counts them.
pub(in crate::cli) struct Wire<'o> {
    outlet: &'o mut Outlet,
    service: &'static str,
    /// Whose process life it was, where a recording says so.
    producer: Option<ProducerId>,
    findings: Findings,
    since: Option<u64>,
    resend: bool,
    ledger: Ledger,
    ledger_of: Option<ByteString>,
    batch: Vec<CallRecord<Veiled>>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    taken: Taken,
    known: u64,
    turns: u64,
    inferences: u64,
    tools: u64,
    input: i64,
    output: i64,
}

/// A point of time: `2026-01-31T12:00:00Z`, or the beginning of a day in UTC: `2026-01-31`, or so long ago: `90m`, `12h`, `7d`.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Since(pub(in crate::cli) u64);

impl std::str::FromStr for Since {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        use crate::import::session::unix_nanos;
        if let Some(at) = unix_nanos(text).or_else(|| unix_nanos(&format!("{text}T00:00:00Z"))) {
            return Ok(Self(at));
        }
        let wrong = "neither a time such as 2026-01-31T12:00:00Z or 2026-01-31 nor a while such as 90m, 12h or 7d";
        let unit = match text.as_bytes().last() {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3600,
            Some(b'd') => 86_400,
            _ => return Err(wrong),
        };
        let count: u64 = text.get(..text.len() - 1).and_then(|count| count.parse().ok()).ok_or(wrong)?;
        let ago = Duration::from_secs(count.saturating_mul(unit));
        Ok(Self(unix_now().saturating_sub(u64::try_from(ago.as_nanos()).unwrap_or(u64::MAX))))
    }
}

/// Nanoseconds since 1970.
pub(in crate::cli) fn unix_now() -> u64 {
    use crate::event::Clock;
    crate::event::SystemClock::default().unix_nanos()
}

impl Since {
    /// Whether something that was changed last then may hold anything newer.
    pub(in crate::cli) fn admits(self, modified: SystemTime) -> bool {
        let at = modified.duration_since(UNIX_EPOCH).map_or(0, |age| age.as_nanos());
        at >= u128::from(self.0)
    }
}

impl Taker for Wire<'_> {
    fn take(&mut self, told: Told) -> Result<(), Failure> {
        self.findings.take(&told);
        match told {
            Told::Call(record) => self.call(record),
            Told::Event(_) => Ok(()),
        }
    }

    fn has_sent(&mut self, rollout: &ByteString, span: SpanIds) -> Result<bool, Failure> {
        self.open_ledger(rollout)?;
        Ok(self.ledger.has(span))
    }
}

impl<'o> Wire<'o> {
    pub(in crate::cli) fn new(
        outlet: &'o mut Outlet,
        service: &'static str,
        since: Option<Since>,
        resend: bool,
    ) -> Self {
        Self {
            outlet,
            service,
            producer: None,
            findings: Findings::new(),
            since: since.map(|since| since.0),
            resend,
            ledger: Ledger::default(),
            ledger_of: None,
            batch: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Takes an event of a recording, whose calls follow by themselves.
    pub(in crate::cli) fn event(&mut self, event: Event<Veiled>) {
        self.findings.event(event);
    }

    /// What is taken from now on was observed by this process life.
    pub(in crate::cli) fn observed_by(&mut self, producer: Option<ProducerId>) -> Result<(), Failure> {
        if self.producer != producer {
            self.flush()?;
            self.producer = producer;
        }
        Ok(())
    }

    /// Takes a call.
    pub(in crate::cli) fn call(&mut self, record: Box<CallRecord<Veiled>>) -> Result<(), Failure> {
        if self.since.is_some_and(|since| record.opened_at.time_unix_nano < since) {
            return Ok(());
        }
        self.open_ledger(&record.scope.rollout)?;
        if !self.ledger.is_new(record.opened.span) {
            self.counts.known += 1;
            return Ok(());
        }
        self.batch.push(*record);
        if self.batch.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    /// The ledger of a rollout, as long as nothing of another one comes: the threads of a rollout take turns.
    fn open_ledger(&mut self, rollout: &ByteString) -> Result<(), Failure> {
        if self.ledger_of.as_ref() == Some(rollout) {
            return Ok(());
        }
        self.flush()?;
        self.ledger_of = Some(rollout.clone());
        self.ledger = match self.outlet.endpoint().filter(|_| !self.resend) {
            Some(endpoint) => {
                let folder = state_folder(&Environment::from_process());
                Ledger::open(folder.as_deref(), &endpoint, rollout)
            }
            None => Ledger::default(),
        };
        Ok(())
    }

    /// Sends what waits.
    pub(in crate::cli) fn flush(&mut self) -> Result<(), Failure> {
        self.findings.tick();
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        for record in &batch {
            self.count(record);
        }
        let resource = encode::resource([("service.name", self.service)], self.producer);
        let taken = self.outlet.take(resource, &mut batch.into_iter())?;
        self.counts.taken.spans += taken.spans;
        self.counts.taken.lost += taken.lost;
        self.ledger.arrived();
        Ok(())
    }

    fn count(&mut self, record: &CallRecord<Veiled>) {
        let counts = &mut self.counts;
        match record.kind {
            CallKind::Turn => counts.turns += 1,
            CallKind::Inference => counts.inferences += 1,
            CallKind::Tool => counts.tools += 1,
            _ => {}
        }
        let tokens = |attr| record.closed.attrs.get(attr).unwrap_or(0);
        counts.input = counts.input.saturating_add(tokens(INPUT_TOKENS));
        counts.output = counts.output.saturating_add(tokens(OUTPUT_TOKENS));
    }

    /// Says what was done. Fails where something could not be read.
    pub(in crate::cli) fn finish(mut self, report: &Report) -> Result<(), Failure> {
        self.flush()?;
        let Counts { taken, known, turns, inferences, tools, input, output } = self.counts;
        let findings = self.findings.finish();
        let Report { files, sessions, rows, unknown, aside, empty, over_bound, open, torn, .. } = *report;
        tracing::info!(
            target: "veilspan",
            files, sessions, rows, turns, inferences, tools, input_tokens = input, output_tokens = output,
            findings, spans = taken.spans - taken.lost, sent_before = known, unknown, aside, empty, over_bound, torn, open, "imported"
        );
        match open {
            0 => {}
            1 => tracing::info!(target: "veilspan", "1 turn still open, not sent: import again once it has ended"),
            _ => {
                tracing::info!(target: "veilspan", "{open} turns still open, not sent: import again once they have ended")
            }
        }
        taken.whole()?;
        if report.is_whole() {
            return Ok(());
        }
        Err(Failure::BadData("not everything could be read; the rest was imported".to_owned()))
    }
}
