//! Where a command's spans go: to a peer, or to stdout as OTLP JSON lines.
//!
//! Sending follows the rules of all our exports: requests cut by count and bytes, retries with jitter. A recording waits for
//! its peer, where a service would rather lose spans: a full queue stops the reading. Without any progress for
//! [`PATIENCE`] the command ends, and says how much has not arrived; one that follows files waits until it is stopped.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Args;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::Failure;
use crate::environment::{Environment, warn_once};
use crate::event::{CallRecord, Veiled};
use crate::export::{Envelope, ExporterConfig, Sender};
use crate::intake::{Counters, Drop};
use crate::otlp::assemble;
use crate::otlp::encode::{self, Encoder};

/// The spans of one printed line.
const LINE: usize = 512;
/// How long nothing may arrive.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long nothing may arrive once the command was asked to end.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long a full queue is waited for before it is looked at again.
const PAUSE: Duration = Duration::from_millis(5);

/// Where to.
#[derive(Debug, Args)]
pub(super) struct To {
    /// Where to send the spans, instead of where the environment says.
    #[arg(long, value_name = "URL", conflicts_with = "dry_run")]
    endpoint: Option<String>,
    /// Print OTLP JSON lines, and send nothing.
    #[arg(long)]
    dry_run: bool,
}

impl To {
    /// To an endpoint, or to stdout where none is named.
    pub(super) fn or_stdout(endpoint: Option<String>) -> Self {
        Self { dry_run: endpoint.is_none(), endpoint }
    }
}

/// Takes the spans of one resource after the other. Those of one resource leave over one connection.
pub(super) struct Outlet {
    peer: Option<Box<ExporterConfig>>,
    line: Option<Line>,
    patience: Patience,
}

/// How long a peer that does not answer is waited for.
enum Patience {
    /// For [`PATIENCE`].
    Ends,
    /// Until somebody says so, and then no longer than [`FAREWELL`].
    Until(Arc<AtomicBool>),
}

/// What became of spans.
#[derive(Clone, Copy, Default)]
pub(super) struct Taken {
    pub(super) spans: u64,
    /// Refused by the peer, or too large for any request. They will not be taken another time either.
    pub(super) lost: u64,
}

impl Taken {
    /// How many there were.
    ///
    /// # Errors
    ///
    /// Where some of them are lost.
    pub(super) fn whole(self) -> Result<u64, Failure> {
        let Self { spans, lost } = self;
        if lost == 0 {
            return Ok(spans);
        }
        Err(Failure::Unavailable(format!("{lost} of {spans} spans were refused, or are too large to be sent")))
    }
}

impl Outlet {
    pub(super) fn open(to: &To) -> Result<Self, Failure> {
        let stdout = Self { peer: None, line: None, patience: Patience::Ends };
        if to.dry_run {
            return Ok(stdout);
        }
        let (mut config, warnings) = ExporterConfig::from_environment(&Environment::from_process());
        warn_once(&warnings);
        match &to.endpoint {
            Some(endpoint) => config.endpoint.clone_from(endpoint),
            None if config.disabled => {
                return Err(Failure::Usage(
                    "the environment says that nothing is sent; name an `--endpoint`".to_owned(),
                ));
            }
            None => {}
        }
        Ok(Self { peer: Some(Box::new(config)), ..stdout })
    }

    /// Waits for a peer that does not answer until this is set.
    pub(super) fn wait_until(&mut self, stop: Arc<AtomicBool>) {
        self.patience = Patience::Until(stop);
    }

    /// Whom it sends to; nobody where it prints.
    pub(super) fn endpoint(&self) -> Option<String> {
        self.peer.as_ref().map(|config| config.address())
    }

    /// Sends or prints all of it, and says what became of it once the peer has answered.
    pub(super) fn take(
        &mut self,
        resource: Bytes,
        records: &mut dyn Iterator<Item = CallRecord<Veiled>>,
    ) -> Result<Taken, Failure> {
        let Some(config) = &self.peer else {
            return print(&resource, records).map(|spans| Taken { spans, lost: 0 });
        };
        let line = match self.line.take() {
            Some(line) if line.resource == resource => line,
            _ => Line::start(config, resource)?,
        };
        let taken = line.send(records, &self.patience)?;
        self.line = Some(line);
        Ok(taken)
    }
}

fn print(resource: &[u8], records: &mut dyn Iterator<Item = CallRecord<Veiled>>) -> Result<u64, Failure> {
    let mut out = std::io::stdout().lock();
    let (scope, encoder) = (encode::scope(), Encoder::default());
    let mut count = 0;
    loop {
        let mut fields = Vec::new();
        let before = count;
        for record in (&mut *records).take(LINE) {
            encoder.span_field(&record, &mut fields);
            count += 1;
        }
        if count == before {
            return Ok(count);
        }
        let request = assemble::request(resource, &scope, [Bytes::from(fields)]);
        let line = ExportTraceServiceRequest::decode(request.into_bytes())
            .ok()
            .and_then(|request| serde_json::to_string(&request).ok());
        let line = line.ok_or_else(|| Failure::BadData("a span could not be written as JSON".to_owned()))?;
        match writeln!(out, "{line}") {
            // Whoever reads it has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(count),
            Err(_) => return Err(Failure::Unavailable("stdout cannot be written to".to_owned())),
            Ok(()) => {}
        }
    }
}

/// A connection, and the thread that sends over it.
struct Line {
    resource: Bytes,
    sender: Sender,
    counters: Arc<Counters>,
}

impl Line {
    fn start(config: &ExporterConfig, resource: Bytes) -> Result<Self, Failure> {
        let counters = Arc::new(Counters::default());
        let envelope = Envelope::Scoped { resource: resource.clone(), scope: encode::scope() };
        let sender = Sender::start(config, envelope, Arc::clone(&counters)).map_err(cannot_send)?;
        Ok(Self { resource, sender, counters })
    }

    fn send(
        &self,
        records: &mut dyn Iterator<Item = CallRecord<Veiled>>,
        patience: &Patience,
    ) -> Result<Taken, Failure> {
        let Self { sender, counters, .. } = self;
        let before = counters.read();
        let encoder = Encoder::default();
        let (mut field, mut spans) = (Vec::new(), 0u64);
        let mut progress = Progress::new(counters, patience);
        let unanswered = |spans: u64| {
            // What waits is given up at once.
            sender.shutdown(Instant::now());
            let sent = counters.read().sent - before.sent;
            Failure::Unavailable(format!("the peer does not answer: {sent} of {spans} spans have arrived"))
        };
        for record in records {
            field.clear();
            encoder.span_field(&record, &mut field);
            loop {
                match sender.push(&field) {
                    Ok(()) => break,
                    Err(Drop::ExportQueueFull) if progress.is_made() => std::thread::sleep(PAUSE),
                    Err(Drop::ExportQueueFull) => return Err(unanswered(spans)),
                    // Too large for any request: this one alone is lost.
                    Err(reason) => {
                        counters.add_dropped(reason, 1);
                        break;
                    }
                }
            }
            spans += 1;
        }
        while !sender.flush(Instant::now() + Duration::from_millis(250)) {
            if !progress.is_made() {
                return Err(unanswered(spans));
            }
        }
        Ok(Taken { spans, lost: counters.read().dropped.calls() - before.dropped.calls() })
    }
}

fn cannot_send(error: crate::export::ExporterError) -> Failure {
    match error {
        crate::export::ExporterError::Endpoint(error) => {
            Failure::Usage(format!("the endpoint cannot be used: {error}"))
        }
        other => Failure::Unavailable(other.to_string()),
    }
}

/// Whether anything still moves.
struct Progress<'a> {
    counters: &'a Counters,
    patience: &'a Patience,
    seen: (u64, u64),
    at: Instant,
}

impl<'a> Progress<'a> {
    fn new(counters: &'a Counters, patience: &'a Patience) -> Self {
        Self { counters, patience, seen: (0, 0), at: Instant::now() }
    }

    fn is_made(&mut self) -> bool {
        let now = self.counters.read();
        let seen = (now.sent, now.dropped.calls());
        if seen != self.seen {
            (self.seen, self.at) = (seen, Instant::now());
        }
        let long = match self.patience {
            Patience::Ends => PATIENCE,
            Patience::Until(stop) if stop.load(Ordering::Relaxed) => FAREWELL,
            Patience::Until(_) => return true,
        };
        self.at.elapsed() < long
    }
}
