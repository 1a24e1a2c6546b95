//! Recorded calls as OTLP JSON lines, each written when it has ended.

use std::path::Path;

use bytes::Bytes;

use crate::cli::Failure;
use crate::collector::{FileConfig, Lines};
use crate::event::Record;
use crate::intake::{Refused, Sink};
use crate::otlp::assemble;
use crate::otlp::encode::{self, Encoder};

/// A file that was not there before.
pub(super) struct RecordFile(Lines);

impl RecordFile {
    /// Makes it, for this user alone.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        if std::fs::metadata(path).is_ok_and(|found| found.is_dir() || found.len() > 0) {
            return Err(Failure::Usage(format!("{name}: is there already, and no recording is written over another")));
        }
        let config = FileConfig { path: path.to_path_buf(), max_bytes: u64::MAX, max_backups: 0 };
        let lines = Lines::open(&config);
        lines.map(Self).map_err(|error| Failure::Unavailable(format!("{name}: cannot be written: {}", error.kind())))
    }
}

impl Sink for RecordFile {
    fn take(&self, record: Record) -> Result<(), Refused> {
        let Record::Closed(call) = record else { return Ok(()) };
        let mut span = Vec::new();
        Encoder::default().span_field(&call, &mut span);
        let resource = encode::resource([("service.name", "veilspan-cassette")], call.opened_at.producer);
        let request = assemble::request(&resource, &encode::scope(), [Bytes::from(span)]);
        self.0.write(&request.into_bytes()).map_err(|_| Refused::default())
    }

    fn wants_opened(&self) -> bool {
        false
    }
}
