//! How far the reading of files has come.

use indicatif::{ProgressBar, ProgressStyle};

use super::files::Found;
use super::report::Report;

/// A bar on stderr, where that is a terminal.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn new(files: &[Found]) -> Self {
        let bar = ProgressBar::new(files.iter().map(|file| file.bytes).sum());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// So many bytes of a file were read, whose reader has read so many rows.
    pub(super) fn read(&self, bytes: usize, rows: u64, report: &Report) {
        self.0.inc(bytes as u64);
        if !self.0.is_hidden() {
            let (files, rows, spans) = (report.files, report.rows + rows, report.calls);
            self.0.set_message(format!("{files} files, {rows} records, {spans} spans"));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
