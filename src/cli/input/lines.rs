//! OTLP JSON, a request a line.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::{Aside, bad, cannot_be_read};
use crate::cli::Failure;
use crate::collector::recordings;
use crate::event::{Event, Veiled};
use crate::privacy::Policy;
use crate::processor::privacy::Privacy;

/// Reads a file, event by event.
pub(super) fn read(path: &Path, policy: &Policy, take: &mut impl FnMut(Event<Veiled>)) -> Result<Aside, Failure> {
    let file = File::open(path).map_err(|error| cannot_be_read(path, &error))?;
    let read = recordings::otlp_lines(BufReader::new(file), &Privacy::new(policy.clone()), take);
    let read = read.map_err(|error| cannot_be_read(path, &error))?;
    if read.is_no_recording() {
        return Err(bad(path, "neither a recording nor OTLP JSON lines"));
    }
    Ok(Aside { lines: read.lines, spans: read.spans, ..Aside::default() })
}
