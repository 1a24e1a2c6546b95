//! Spans that are too long for the peer, each in a file for a person to look at.
//!
//! `set-aside/<trace id>-<span id>.<reason>.pb` in the spool's folder holds a `TracesData` message of the one span, which any
//! reader of OTLP takes. Nothing here sends it again or takes it away. The files take a sixteenth of the spool's bytes at the
//! most, whichever processes wrote them; what comes beyond that is counted alone.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::home::Home;
use super::records;
use super::stock::Spool;
use crate::export::batch::{Batch, Origin};
use crate::folder;
use crate::intake::Drop;
use crate::otlp::SpanView;

const NAME: &str = "set-aside";
/// What is not whole yet ends so.
const PART: &str = ".part";
/// Its share of the spool's bytes.
const SHARE: usize = 16;

impl Home {
    /// The bytes of all that has been set aside here.
    pub(super) fn bytes_aside(&self) -> u64 {
        folder::open_inside(self.0.as_fd(), NAME).and_then(|aside| bytes_of(&aside)).unwrap_or_default()
    }

    /// Writes a file, where all of them stay within `limit` bytes then; answers how many bytes there are.
    fn keep_aside(&self, name: &str, content: &[u8], limit: u64, is_synced: bool) -> io::Result<u64> {
        folder::make_inside(self.0.as_fd(), NAME)?;
        let aside = folder::open_inside(self.0.as_fd(), NAME)?;
        // A copy that came again takes the place of the first.
        folder::remove(&aside, name)?;
        let bytes = bytes_of(&aside)?.saturating_add(content.len() as u64);
        if bytes > limit {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let part = format!("{name}{PART}");
        folder::remove(&aside, &part)?;
        let mut file = std::fs::File::from(folder::create_file(aside.as_fd(), &part)?);
        let written = io::Write::write_all(&mut file, content)
            .and_then(|()| if is_synced { file.sync_all() } else { Ok(()) })
            .and_then(|()| Ok(rustix::fs::renameat(&aside, &*part, &aside, name)?))
            .and_then(|()| if is_synced { Ok(rustix::fs::fsync(&aside)?) } else { Ok(()) });
        if written.is_err() {
            // What cannot be taken away counts against the bound.
            let _ = folder::remove(&aside, &part);
        }
        written.map(|()| bytes)
    }
}

fn bytes_of(aside: &OwnedFd) -> io::Result<u64> {
    let names = folder::names(aside.as_fd())?;
    Ok(names.iter().filter_map(|name| folder::length_of(aside.as_fd(), name)).sum())
}

impl Spool {
    /// Keeps the span of a batch of one, and tells whether it could.
    pub(super) fn keep_aside(&self, batch: &Batch, reason: Drop) -> bool {
        let Origin::Log { envelope, .. } = &batch.origin else { return false };
        let Some(name) = file_name(&batch.spans, reason) else { return false };
        let content = envelope.request(batch.spans.clone()).pieces().concat();
        let kept = self.home.keep_aside(&name, &content, (self.budget / SHARE) as u64, self.is_synced());
        match kept {
            Ok(bytes) => {
                self.counters.add_set_aside();
                self.stock().aside = bytes;
            }
            Err(ref error) if error.kind() == io::ErrorKind::StorageFull => {}
            Err(_) => self.counters.add_spool_failure(),
        }
        kept.is_ok()
    }
}

fn file_name(field: &[u8], reason: Drop) -> Option<String> {
    let span = SpanView::parse(records::span(field)?).ok()?;
    Some(format!("{}-{}.{}.pb", span.trace_id()?, span.span_id()?, reason.as_str()))
}
