//! A file that grows, read from where it was left. A compressed one does not grow: it is read once nobody writes it any
//! more, and anew when it has changed.

use std::fs::{File, Metadata};
use std::hash::Hasher;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use rustc_hash::FxHasher;

use super::bytes::{Bytes, identity, is_compressed, open};
use crate::import::session::AsideReason;
use crate::json::without_mark;

const PORTION: usize = 256 << 10;
/// A file that nothing was added to for so long is looked at less often.
const WARM: Duration = Duration::from_secs(600);
/// So many of the bytes that were read last are looked at again: of a file that was written anew they are others.
const LAST: usize = 256;
/// A compressed file that was written less long ago may not be whole yet.
const SETTLED: Duration = Duration::from_secs(2);

/// A file and how far it was read.
#[derive(Default)]
pub(super) struct Tail {
    identity: Option<(u64, u64)>,
    offset: u64,
    /// A hash of the last bytes that were read. It never leaves.
    last: Option<u64>,
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
    /// It is another file now, a shorter one, or one that was written anew.
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
        let is_other = self.identity.is_some_and(|known| known != identity) || found.len() < self.offset;
        let has_grown = found.len() > self.offset;
        if is_other || has_grown && self.last.is_some() && self.last != self.last_of(&mut file) {
            *self = Self { identity: Some(identity), grew: Some(Instant::now()), ..Self::default() };
            return Added::Anew;
        }
        self.identity = Some(identity);
        if !has_grown {
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
        self.last = self.last_of(file);
        Some(bytes)
    }

    /// A hash of the bytes before the place up to which the file was read.
    fn last_of(&self, file: &mut File) -> Option<u64> {
        let length = self.offset.min(LAST as u64);
        file.seek(SeekFrom::Start(self.offset - length)).ok()?;
        let mut bytes = zeroize::Zeroizing::new([0; LAST]);
        let last = bytes.get_mut(..usize::try_from(length).ok()?)?;
        file.read_exact(last).ok()?;
        let mut hasher = FxHasher::default();
        hasher.write(last);
        Some(hasher.finish())
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn bytes(added: Added) -> Option<Vec<u8>> {
        if let Added::Bytes(bytes) = added { Some(bytes) } else { None }
    }

    #[test]
    fn a_file_that_was_written_anew_is_read_anew_though_it_is_longer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session.jsonl");
        let write = |text: &[u8]| std::fs::write(&path, text).unwrap();
        let (one, more) = (b"one\n".repeat(200), b"one\n".repeat(300));
        let mut tail = Tail::default();
        write(&one);
        assert_eq!(bytes(tail.look(&path)), Some(one.clone()));
        assert!(matches!(tail.look(&path), Added::Nothing));
        write(&more);
        assert_eq!(bytes(tail.look(&path)), Some(more[one.len()..].to_vec()), "its beginning is the same");
        for anew in [b"two\n".repeat(400), b"six\n".repeat(800)] {
            write(&anew);
            assert!(matches!(tail.look(&path), Added::Anew));
            assert_eq!(bytes(tail.look(&path)), Some(anew));
        }
        write(b"1\n");
        assert!(matches!(tail.look(&path), Added::Anew));
        assert_eq!(bytes(tail.look(&path)), Some(b"1\n".to_vec()));
        write(b"2\n3\n");
        assert!(matches!(tail.look(&path), Added::Anew));
    }
}
