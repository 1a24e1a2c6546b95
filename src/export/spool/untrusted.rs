//! A spool of any bytes at all, read as one that a dead process has left: what is fuzzed.
//!
//! Nothing of the library's own calls this. It stands here, and not in a test, so that a fuzzer and a test drive the same
//! function.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::adopt::{Adopted, adopt};
use super::log::{Disk, DiskFile, Fsync, Options, frame, segment};
use crate::export::limits::Limits;

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What would be sent: each a length-delimited field of `ScopeSpans`.
    pub spans: Vec<Vec<u8>>,
    /// Calls that were closed as abandoned; their spans are among the others.
    pub abandoned: u64,
    /// Open calls of which nothing may be told.
    pub unknown: u64,
    /// Records that are damaged or missing.
    pub damaged: u64,
    /// Spans that were counted as waiting and turned out to be none.
    pub unreadable: u64,
    /// What still waits when everything was read and settled.
    pub left: u64,
}

/// Reads a folder whose files are cut from these bytes. Of each portion of them the first byte says what it becomes: part of a
/// segment as it stands, a record of a segment with its checksums put right, a new segment, or the file of what is settled.
/// The two bytes behind it are its length.
///
/// # Errors
///
/// The folder cannot be read, which no bytes in its files bring about.
pub fn read(bytes: &[u8]) -> io::Result<Reading> {
    let memory: Arc<dyn Disk> = Arc::new(Memory::of(bytes));
    let options = Options { segment_bytes: 16 << 10, fsync: Fsync::Os, boot: BOOT, preamble: None };
    let Adopted { mut journal, abandoned, unknown, damaged, .. } = adopt(&memory, &options, 1)?;
    let mut reading = Reading { abandoned, unknown, damaged, ..Reading::default() };
    let limits = Limits {
        batch_spans: 7,
        batch_bytes: 4 << 10,
        batch_delay: Duration::ZERO,
        queue_bytes: usize::MAX,
        queue_spans: usize::MAX,
    };
    loop {
        let portion = journal.read(&limits)?;
        if portion.indices.is_empty() && portion.unreadable.is_empty() {
            break;
        }
        reading.unreadable += portion.unreadable.len() as u64;
        let mut fields = crate::otlp::wire::Fields::new(&portion.spans);
        let mut start = 0;
        while fields.next().is_some() {
            reading.spans.extend(portion.spans.get(start..fields.position()).map(<[u8]>::to_vec));
            start = fields.position();
        }
        journal.settle(&portion.unreadable)?;
        journal.settle(&portion.indices)?;
        journal.clean(1)?;
    }
    reading.left = journal.waiting;
    Ok(reading)
}

/// The machine's life, in this one and in segments that are put right.
const BOOT: [u8; 16] = [7; 16];

type Content = Arc<Mutex<Vec<u8>>>;

/// A folder in memory.
#[derive(Debug, Default)]
struct Memory(Mutex<BTreeMap<String, Content>>);

#[derive(Debug)]
struct MemoryFile(Content);

impl Memory {
    fn of(mut bytes: &[u8]) -> Self {
        let (mut files, mut number, mut index) = (BTreeMap::new(), 1u64, 0u64);
        let begin = |number: u64, first_index: u64| {
            let fsync = if number.is_multiple_of(2) { Fsync::Always } else { Fsync::Os };
            segment::Header { number, first_index, created_unix_nano: 1, boot: BOOT, fsync }.encode().to_vec()
        };
        files.insert(segment::name(number), begin(number, index));
        while let [kind, high, low, rest @ ..] = bytes {
            let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
            let (part, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            bytes = rest;
            if kind % 8 == 5 {
                number += 1;
                files.insert(segment::name(number), begin(number, index));
            } else if kind % 8 == 6 {
                files.entry("settled-0".to_owned()).or_default().extend_from_slice(part);
            } else if let Some(file) = files.get_mut(&segment::name(number)) {
                if kind % 8 == 7 {
                    file.extend_from_slice(part);
                } else {
                    frame::put(file, kind % 8, index, &[part]);
                    index += 1;
                }
            }
        }
        Self(Mutex::new(files.into_iter().map(|(name, content)| (name, Arc::new(Mutex::new(content)))).collect()))
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk for Memory {
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut files = held(&self.0);
        if files.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let content = Content::default();
        files.insert(name.to_owned(), Arc::clone(&content));
        Ok(Arc::new(MemoryFile(content)))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let content = held(&self.0).get(name).map(Arc::clone);
        content.map(|content| Arc::new(MemoryFile(content)) as Arc<dyn DiskFile>).ok_or(io::ErrorKind::NotFound.into())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(held(&self.0).keys().cloned().collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        held(&self.0).remove(name);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for MemoryFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut content = held(&self.0);
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let end = start.saturating_add(bytes.len());
        if content.len() < end {
            content.resize(end, 0);
        }
        content.get_mut(start..end).ok_or(io::ErrorKind::FileTooLarge)?.copy_from_slice(bytes);
        Ok(())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let content = held(&self.0);
        let rest = usize::try_from(offset).ok().and_then(|start| content.get(start..)).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer.iter_mut().zip(rest).for_each(|(place, byte)| *place = *byte);
        Ok(length)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(held(&self.0).len() as u64)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        held(&self.0).truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(())
    }

    fn reserve(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
