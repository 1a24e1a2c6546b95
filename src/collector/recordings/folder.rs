//! Which files there are.

use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::error::{Kind, RecordingsError};
use super::lines::{Aside, otlp_lines};
use crate::event::{Event, Veiled};
use crate::processor::privacy::Privacy;

/// The most files of a folder.
const FILES: usize = 1_024;
/// The most bytes that are read in all.
const BYTES: u64 = 1 << 30;
/// How files of a folder end that are read.
const ENDINGS: [&str; 2] = ["jsonl", "json"];

/// A file of recordings, or a folder of them.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_path_buf() }
    }

    /// Reads all of it in the order of the files' names, each event as the policy lets it be seen; until a time, where there
    /// is one.
    ///
    /// # Errors
    ///
    /// A file cannot be read or is no recording, or there is too much.
    pub(crate) fn read(
        &self,
        privacy: &Privacy,
        deadline: Option<Instant>,
        mut take: impl FnMut(Event<Veiled>),
    ) -> Result<Aside, RecordingsError> {
        let mut all = Aside::default();
        for path in self.files()? {
            let file = File::open(&path).map_err(|error| failed(&path, &error))?;
            let file = BufReader::new(InTime { file, deadline });
            let aside = otlp_lines(file, privacy, &mut take).map_err(|error| failed(&path, &error))?;
            if aside.is_no_recording() {
                return Err(RecordingsError::new(path, Kind::NotLines));
            }
            if aside.lines + aside.spans > 0 {
                let (file, lines, spans) = (path.display(), aside.lines, aside.spans);
                tracing::warn!(target: "veilspan", %file, lines, spans, "not everything could be used");
            }
            all += aside;
        }
        Ok(all)
    }

    pub(super) fn error(&self, kind: Kind) -> RecordingsError {
        RecordingsError::new(self.path.clone(), kind)
    }

    fn files(&self) -> Result<Vec<PathBuf>, RecordingsError> {
        let metadata = |path: &Path| std::fs::metadata(path).map_err(|error| failed(path, &error));
        let found: Metadata = metadata(&self.path)?;
        let mut files = Vec::new();
        if found.is_file() {
            files.push(self.path.clone());
        } else if found.is_dir() {
            let entries = std::fs::read_dir(&self.path).map_err(|error| failed(&self.path, &error))?;
            for entry in entries {
                let path = entry.map_err(|error| failed(&self.path, &error))?.path();
                let is_ours = path.extension().is_some_and(|ending| ENDINGS.iter().any(|ours| ending == *ours));
                // A pipe or a device of that name would keep the reader waiting.
                if is_ours && metadata(&path)?.is_file() {
                    files.push(path);
                }
                if files.len() > FILES {
                    return Err(self.error(Kind::TooMany(FILES)));
                }
            }
        } else {
            return Err(self.error(Kind::NoFile));
        }
        files.sort_unstable();
        let mut bytes = 0u64;
        for file in &files {
            bytes = bytes.saturating_add(metadata(file)?.len());
        }
        if bytes > BYTES { Err(self.error(Kind::TooManyBytes(BYTES))) } else { Ok(files) }
    }
}

/// A file that is read until a time.
struct InTime {
    file: File,
    deadline: Option<Instant>,
}

impl Read for InTime {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.file.read(buffer)
    }
}

fn failed(path: &Path, error: &io::Error) -> RecordingsError {
    RecordingsError::new(path.to_path_buf(), Kind::Io(error.kind()))
}
