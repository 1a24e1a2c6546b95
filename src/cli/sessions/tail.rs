//! A file that grows, read from where it was left.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

use super::bytes::{identity, open};

const PORTION: usize = 256 << 10;
/// A file that nothing was added to for so long is looked at less often.
const WARM: Duration = Duration::from_secs(600);

/// A file and how far it was read.
#[derive(Default)]
pub(super) struct Tail {
    identity: Option<(u64, u64)>,
    offset: u64,
    /// When something was added last.
    grew: Option<Instant>,
}

/// What was added to a file.
pub(super) enum Added {
    Nothing,
    Bytes(Vec<u8>),
    /// It is another file now, or a shorter one.
    Anew,
}

impl Tail {
    /// Whether it is worth while to look again soon.
    pub(super) fn is_warm(&self) -> bool {
        self.identity.is_none() || self.grew.is_some_and(|at| at.elapsed() < WARM)
    }

    /// The next portion of what was added. Wiping it is up to whom it is given to.
    pub(super) fn look(&mut self, path: &Path) -> Added {
        let Ok(mut file) = open(path) else { return Added::Nothing };
        let Ok(found) = file.metadata() else { return Added::Nothing };
        let identity = identity(&found);
        if self.identity.is_some_and(|known| known != identity) || found.len() < self.offset {
            *self = Self { identity: Some(identity), offset: 0, grew: Some(Instant::now()) };
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

    fn portion(&mut self, file: &mut File) -> Option<Vec<u8>> {
        file.seek(SeekFrom::Start(self.offset)).ok()?;
        let mut bytes = Vec::with_capacity(PORTION);
        file.take(PORTION as u64).read_to_end(&mut bytes).ok()?;
        self.offset += bytes.len() as u64;
        Some(bytes)
    }
}

/// The lines of a file of hooks that grows.
#[derive(Default)]
pub(super) struct Lines {
    tail: Tail,
    begun: Vec<u8>,
}

impl Lines {
    /// Hands on the lines that have come since.
    pub(super) fn read(&mut self, path: &Path, mut take: impl FnMut(&[u8])) {
        loop {
            match self.tail.look(path) {
                Added::Nothing => return,
                Added::Anew => self.begun.clear(),
                Added::Bytes(bytes) => self.begun.extend(bytes),
            }
            let end = self.begun.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let rest = self.begun.split_off(end);
            let lines = std::mem::replace(&mut self.begun, rest);
            lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(&mut take);
        }
    }

    pub(super) fn is_warm(&self) -> bool {
        self.tail.is_warm()
    }
}
