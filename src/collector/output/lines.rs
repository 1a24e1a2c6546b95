//! OTLP JSON in a file, a request a line (the Collector's `file` exporter writes the same).

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use crate::collector::config::FileConfig;

/// A file of lines. A line is written whole, or the file is cut back to where it began.
pub(crate) struct Lines {
    config: FileConfig,
    open: Mutex<Open>,
    lost: AtomicU64,
}

struct Open {
    file: File,
    length: u64,
}

impl Lines {
    pub(crate) fn open(config: &FileConfig) -> io::Result<Self> {
        let open = Mutex::new(Open::at(&config.path)?);
        Ok(Self { config: config.clone(), open, lost: AtomicU64::new(0) })
    }

    /// Writes a request as a line. Blocks.
    pub(crate) fn write(&self, request: &[u8]) -> io::Result<()> {
        let written = self.line(request);
        if written.is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        written
    }

    /// Lines that could not be written.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn line(&self, request: &[u8]) -> io::Result<()> {
        // What the decoder would say may quote the request.
        let request = ExportTraceServiceRequest::decode(request).map_err(|_| io::ErrorKind::InvalidData)?;
        let mut line = serde_json::to_vec(&request).map_err(|_| io::ErrorKind::InvalidData)?;
        line.push(b'\n');
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.length > 0 && open.length.saturating_add(line.len() as u64) > self.config.max_bytes {
            put_aside(&self.config)?;
            *open = Open::at(&self.config.path)?;
        }
        open.append(&line)
    }
}

impl Open {
    fn at(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
            options.mode(0o600).custom_flags(flags.bits().cast_signed());
        }
        let mut file = options.open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a plain file"));
        }
        let length = file.seek(SeekFrom::End(0))?;
        let mut open = Self { file, length };
        if !open.ends_with_a_line()? {
            // A process before this one died in the middle of a line: it stays the only one that cannot be read.
            open.append(b"\n")?;
        }
        Ok(open)
    }

    fn ends_with_a_line(&mut self) -> io::Result<bool> {
        if self.length == 0 {
            return Ok(true);
        }
        let mut last = [0];
        self.file.seek(SeekFrom::End(-1))?;
        self.file.read_exact(&mut last)?;
        Ok(last == *b"\n")
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(line);
        match written {
            Ok(()) => self.length += line.len() as u64,
            // Half a line would spoil the next one.
            Err(_) => self.file.set_len(self.length)?,
        }
        written
    }
}

/// `path` becomes `path.1`, that `path.2`, and the last of them is written over.
fn put_aside(config: &FileConfig) -> io::Result<()> {
    let numbered = |number: u32| {
        let mut name = config.path.clone().into_os_string();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    for number in (1..config.max_backups).rev() {
        match std::fs::rename(numbered(number), numbered(number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    std::fs::rename(&config.path, numbered(1))
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

    use super::*;

    fn request(name: &str) -> Vec<u8> {
        let spans = vec![Span { name: name.to_owned(), ..Span::default() }];
        let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
        let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
        ExportTraceServiceRequest { resource_spans }.encode_to_vec()
    }

    fn names(file: &Path) -> Vec<String> {
        let lines = std::fs::read_to_string(file).unwrap();
        let read = |line: &str| serde_json::from_str::<ExportTraceServiceRequest>(line).ok();
        let name = |request: ExportTraceServiceRequest| request.resource_spans[0].scope_spans[0].spans[0].name.clone();
        lines.lines().map(|line| read(line).map_or_else(|| "?".to_owned(), name)).collect()
    }

    fn config(folder: &Path, max_bytes: u64) -> FileConfig {
        FileConfig { path: folder.join("out.jsonl"), max_bytes, max_backups: 2 }
    }

    #[test]
    fn a_file_is_put_aside_before_it_is_too_long_and_so_many_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let line = serde_json::to_vec(&ExportTraceServiceRequest::decode(&*request("n0")).unwrap()).unwrap().len() + 1;
        let config = config(folder.path(), 2 * line as u64);
        let lines = Lines::open(&config).unwrap();
        (0..7).for_each(|n| lines.write(&request(&format!("n{n}"))).unwrap());
        let aside = |number: u32| folder.path().join(format!("out.jsonl.{number}"));
        assert_eq!(names(&config.path), ["n6"]);
        assert_eq!(
            (names(&aside(1)), names(&aside(2))),
            (vec!["n4".into(), "n5".into()], vec!["n2".into(), "n3".into()])
        );
        assert!(!aside(3).exists());
        drop(lines);
        Lines::open(&config).unwrap().write(&request("n7")).unwrap();
        assert_eq!(names(&config.path), ["n6", "n7"], "a file that is there is gone on with");
    }

    #[test]
    fn half_a_line_of_a_process_that_died_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), 1 << 20);
        std::fs::write(&config.path, "{\"resourceSp").unwrap();
        let lines = Lines::open(&config).unwrap();
        lines.write(&request("whole")).unwrap();
        assert!(lines.write(b"\xff\xff").is_err());
        assert_eq!((names(&config.path), lines.lost()), (vec!["?".to_owned(), "whole".to_owned()], 1));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_written_through_and_what_is_written_is_for_its_owner() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), 1 << 20);
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &config.path).unwrap();
        assert!(Lines::open(&config).is_err() && !folder.path().join("elsewhere").exists());
        std::fs::remove_file(&config.path).unwrap();
        Lines::open(&config).unwrap();
        assert_eq!(std::fs::metadata(&config.path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
