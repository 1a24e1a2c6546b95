//! OTLP JSON lines, read as events.

use std::io::{self, BufRead, Read};
use std::ops::AddAssign;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use crate::event::{CallRecord, Event, Source, Veiled, wipe};
use crate::json::without_mark;
use crate::otlp::assemble::patched;
use crate::otlp::decode::NotACall;
use crate::otlp::{Known, Look, Request, decode, dialects};
use crate::processor::privacy::Privacy;

/// The longest line that is read, in bytes, and the longest file that is written over several lines: a Collector's file
/// exporter writes a batch a line.
const MAX_LINE: u64 = 256 << 20;

/// What could be used of a file, and what not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Aside {
    /// Lines that are an OTLP request.
    pub(crate) good: u64,
    /// Lines that are none.
    pub(crate) lines: u64,
    /// Spans of calls that cannot be read.
    pub(crate) spans: u64,
}

impl Aside {
    /// Whether there is something, and all of it is something else.
    pub(crate) const fn is_no_recording(self) -> bool {
        self.good == 0 && self.lines > 0
    }
}

impl AddAssign for Aside {
    fn add_assign(&mut self, other: Self) {
        self.good += other.good;
        self.lines += other.lines;
        self.spans += other.spans;
    }
}

/// Reads requests, a line each, with nothing in them but what the policy lets leave. A file whose first line only opens an
/// object or an array is one that was made readable for people, if it is JSON as a whole: its requests stand one behind the
/// other.
pub(crate) fn otlp_lines(
    mut lines: impl BufRead,
    privacy: &Privacy,
    take: &mut impl FnMut(Event<Veiled>),
) -> io::Result<Aside> {
    let (mut aside, mut text) = (Aside::default(), Vec::new());
    let read = first_line(&mut lines, &mut text).and_then(|()| {
        if matches!(without_mark(&text).trim_ascii(), b"{" | b"[" | b"[{") {
            (&mut lines).take(MAX_LINE).read_to_end(&mut text)?;
        }
        // All of it, or else one line after the other.
        if let Some(said) = requests(without_mark(&text)) {
            aside.take(said, privacy, take);
        } else {
            each_line(text.as_slice(), privacy, &mut aside, take)?;
        }
        each_line(&mut lines, privacy, &mut aside, take)
    });
    wipe(&mut text);
    read.map(|()| aside)
}

fn first_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<()> {
    while line.trim_ascii().is_empty() {
        line.clear();
        if lines.take(MAX_LINE).read_until(b'\n', line)? == 0 {
            break;
        }
    }
    Ok(())
}

fn each_line(
    mut lines: impl BufRead,
    privacy: &Privacy,
    aside: &mut Aside,
    take: &mut impl FnMut(Event<Veiled>),
) -> io::Result<()> {
    let mut line = Vec::new();
    let read = loop {
        line.clear();
        match (&mut lines).take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(0) => break Ok(()),
            Err(error) => break Err(error),
            Ok(_) if line.trim_ascii().is_empty() => {}
            Ok(_) => match requests(&line) {
                Some(said) => aside.take(said, privacy, take),
                None => aside.lines += 1,
            },
        }
    };
    wipe(&mut line);
    read
}

impl Aside {
    fn take(&mut self, said: Vec<ExportTraceServiceRequest>, privacy: &Privacy, take: &mut impl FnMut(Event<Veiled>)) {
        for one in said {
            match veiled(Bytes::from(one.encode_to_vec()), privacy) {
                Some(request) => {
                    self.good += 1;
                    self.spans += calls(&request, &mut |call| call.into_events(Source::Otlp).for_each(&mut *take));
                }
                None => self.lines += 1,
            }
        }
    }
}

/// Requests that stand one behind the other, or in an array; nothing where something else does.
fn requests(text: &[u8]) -> Option<Vec<ExportTraceServiceRequest>> {
    if text.trim_ascii_start().first() == Some(&b'[') {
        return serde_json::from_slice(text).ok();
    }
    serde_json::Deserializer::from_slice(text).into_iter().collect::<Result<_, _>>().ok()
}

/// A request with nothing in it but what the policy lets leave.
pub(crate) fn veiled(request: Bytes, privacy: &Privacy) -> Option<Request> {
    let request = Request::parse(request, Look::Inside).ok()?;
    let patches = privacy.request(&request);
    if patches.is_empty() {
        return Some(request);
    }
    Request::parse(patched(&request, &patches).into_bytes(), Look::Outside).ok()
}

/// Gives the calls that a request tells of, and says how many of its spans are calls that cannot be read. Spans of other things
/// than agents stand in most traces.
pub(crate) fn calls(request: &Request, take: &mut impl FnMut(CallRecord<Veiled>)) -> u64 {
    let mut unreadable = 0;
    let mut known = Known::of_request();
    for resource in request.resources() {
        let producer = decode::producer(&resource.resource());
        for span in resource.scopes().flat_map(|scope| scope.spans()) {
            match span.view().map(|view| dialects::call_among(&view, producer, &mut known)) {
                Ok(Ok(call)) => take(call),
                Ok(Err(NotACall::NotGenAi)) => {}
                _ => unreadable += 1,
            }
        }
    }
    unreadable
}
