//! A file that grows, read from where it was left. A compressed one does not grow: it is read once nobody writes it any
//! more, and anew when it has changed.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::bytes::{Bytes, identity, is_compressed, open};
use crate::import::session::AsideReason;
use crate::json::without_mark;

const PORTION: usize = 256 << 10;
/// A file that nothing was added to for so long is looked at less often.
const WARM: Duration = Duration::from_secs(600);
/// A compressed file that was written less long ago may not be whole yet.
const SETTLED: Duration = Duration::from_secs(2);

/// A file and how far it was read.
#[derive(Default)]
pub(super) struct Tail {
    identity: Option<(u64, u64)>,
    offset: u64,
    /// When something was added last.
    grew: Option<Instant>,
    /// Of a compressed file the rest of it, while it is read.
    rest: Option<Bytes>,
    /// And what it was when it was read.
    was: Option<(u64, SystemTime)>,
}

/// What was added to a file.
pub(super) enum Added {
    Nothing,
    Bytes(Vec<u8>),
    /// It is another file now, or a shorter one.
    Anew,
    /// It cannot be read any further.
    Broken(AsideReason),
}

impl Tail {
    /// Whether it is worth while to look again soon.
    pub(super) fn is_warm(&self) -> bool {
        self.identity.is_none() || self.grew.is_some_and(|at| at.elapsed() < WARM)
    }

    /// The next portion of what was added. Wiping it is up to whom it is given to.
    pub(super) fn look(&mut self, path: &Path) -> Added {
        if is_compressed(path) {
            return self.look_into(path);
        }
        let Ok(mut file) = open(path) else { return Added::Nothing };
        let Ok(found) = file.metadata() else { return Added::Nothing };
        let identity = identity(&found);
        if self.identity.is_some_and(|known| known != identity) || found.len() < self.offset {
            *self = Self { identity: Some(identity), grew: Some(Instant::now()), ..Self::default() };
            return Added::Anew;
        }
        self.identity = Some(identity);
        if found.len() == self.offset {
            return Added::Nothing;
        }
        match self.portion(&mut file) {
            Some(bytes) if !bytes.is_empty() => {
                self.grew = Some(Instant::now());
                Added::Bytes(bytes)
            }
            _ => Added::Nothing,
        }
    }

    /// The same of a compressed file.
    fn look_into(&mut self, path: &Path) -> Added {
        if self.rest.is_none() {
            let Ok(found) = std::fs::symlink_metadata(path) else { return Added::Nothing };
            self.identity = Some(identity(&found));
            let is = (found.len(), modified(&found));
            if self.was == Some(is) || is.1.elapsed().is_ok_and(|age| age < SETTLED) {
                return Added::Nothing;
            }
            let is_first = self.was.replace(is).is_none();
            match Bytes::open(path) {
                Ok(bytes) => self.rest = Some(bytes),
                Err(error) => return Added::Broken(broken(&error)),
            }
            if !is_first {
                return Added::Anew;
            }
        }
        let mut bytes = vec![0; PORTION];
        let read = self.rest.as_mut().map_or(Ok(0), |rest| rest.read(&mut bytes));
        match read {
            Ok(read) if read > 0 => {
                bytes.truncate(read);
                Added::Bytes(bytes)
            }
            Ok(_) => {
                self.rest = None;
                Added::Nothing
            }
            Err(error) => {
                self.rest = None;
                Added::Broken(broken(&error))
            }
        }
    }

    fn portion(&mut self, file: &mut File) -> Option<Vec<u8>> {
        file.seek(SeekFrom::Start(self.offset)).ok()?;
        let mut bytes = Vec::with_capacity(PORTION);
        file.take(PORTION as u64).read_to_end(&mut bytes).ok()?;
        self.offset += bytes.len() as u64;
        Some(bytes)
    }
}

fn modified(found: &Metadata) -> SystemTime {
    found.modified().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Why a file cannot be read any further.
pub(super) fn broken(error: &io::Error) -> AsideReason {
    if error.kind() == io::ErrorKind::FileTooLarge { AsideReason::Oversize } else { AsideReason::Unreadable }
}

/// The lines of a file of hooks that grows.
#[derive(Default)]
pub(super) struct Lines {
    tail: Tail,
    begun: Vec<u8>,
    /// The lines that were handed on.
    number: u64,
}

impl Lines {
    /// Hands on the lines that have come since, with their numbers; nothing where the file begins anew.
    pub(super) fn read(&mut self, path: &Path, mut take: impl FnMut(Option<(u64, &[u8])>)) {
        loop {
            match self.tail.look(path) {
                Added::Nothing | Added::Broken(_) => return,
                Added::Anew => {
                    self.begun.clear();
                    self.number = 0;
                    take(None);
                }
                Added::Bytes(bytes) => self.begun.extend(bytes),
            }
            let end = self.begun.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let rest = self.begun.split_off(end);
            let lines = std::mem::replace(&mut self.begun, rest);
            for line in lines.split_inclusive(|byte| *byte == b'\n').map(without_mark) {
                self.number += 1;
                take(Some((self.number, line)));
            }
        }
    }

    pub(super) fn is_warm(&self) -> bool {
        self.tail.is_warm()
    }
}
