//! OTLP JSON, a request a line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::{Aside, bad, cannot_be_read};
use crate::cli::Failure;
use crate::event::{CallRecord, Event, Source, Veiled};
use crate::otlp::assemble::patched;
use crate::otlp::{Look, Request, decode, dialects};
use crate::privacy::Policy;
use crate::processor::privacy::Privacy;

/// The longest line that is read, in bytes: a Collector's file exporter writes a batch a line.
const MAX_LINE: u64 = 256 << 20;

/// Reads a file, event by event.
pub(super) fn read(path: &Path, policy: &Policy, take: &mut impl FnMut(Event<Veiled>)) -> Result<Aside, Failure> {
    let file = File::open(path).map_err(|error| cannot_be_read(path, &error))?;
    let mut lines = BufReader::new(file);
    let privacy = Privacy::new(policy.clone());
    let (mut aside, mut line, mut good) = (Aside::default(), Vec::new(), 0u64);
    loop {
        line.clear();
        let read = (&mut lines).take(MAX_LINE).read_until(b'\n', &mut line);
        match read.map_err(|error| cannot_be_read(path, &error))? {
            0 => break,
            _ if line.trim_ascii().is_empty() => continue,
            _ => match request(&line, &privacy) {
                Some(request) => {
                    good += 1;
                    aside.spans += calls(&request, &mut |call| call.into_events(Source::Otlp).for_each(&mut *take));
                }
                None => aside.lines += 1,
            },
        }
    }
    crate::event::wipe(&mut line);
    if good == 0 && aside.lines > 0 {
        return Err(bad(path, "neither a recording nor OTLP JSON lines"));
    }
    Ok(aside)
}

/// The request of a line, with nothing in it but what the policy lets leave.
fn request(line: &[u8], privacy: &Privacy) -> Option<Request> {
    let said: ExportTraceServiceRequest = serde_json::from_slice(line).ok()?;
    veiled(Bytes::from(said.encode_to_vec()), privacy)
}

/// A request with nothing in it but what the policy lets leave.
pub(super) fn veiled(request: Bytes, privacy: &Privacy) -> Option<Request> {
    let request = Request::parse(request, Look::Inside).ok()?;
    let patches = privacy.request(&request);
    if patches.is_empty() {
        return Some(request);
    }
    Request::parse(patched(&request, &patches).into_bytes(), Look::Outside).ok()
}

/// Gives the calls that a request tells of, and says how many of its spans tell of none.
pub(super) fn calls(request: &Request, take: &mut impl FnMut(CallRecord<Veiled>)) -> u64 {
    let mut others = 0;
    for resource in request.resources() {
        let producer = decode::producer(&resource.resource());
        for span in resource.scopes().flat_map(|scope| scope.spans()) {
            match span.view().map(|view| dialects::call(&view, producer)) {
                Ok(Ok(call)) => take(call),
                _ => others += 1,
            }
        }
    }
    others
}
