//! Which spans a peer has got, so that nothing is sent again: after a restart, nor when a session is imported once more.
//!
//! One file for each endpoint and rollout, named by digests, for its owner alone; 24 bytes for each span. A file
//! that nobody has written for 90 days is removed, and the spans of its session would be sent again. Where there is no
//! place for a ledger there is none, and that is said.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::environment::Environment;
use crate::event::SpanIds;

const ENTRY: usize = 24;
/// The most spans of one session that are remembered; of more the rest are sent again.
const MAX_ENTRIES: usize = 1 << 22;
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Whether old files were looked for: once for each process, which has one endpoint.
static SWEPT: Once = Once::new();

type Entry = [u8; ENTRY];

/// The spans of one session that one endpoint has got.
#[derive(Default)]
pub(in crate::cli) struct Ledger {
    path: Option<PathBuf>,
    sent: HashSet<Entry>,
    fresh: Vec<u8>,
}

/// The user's folder for what a program keeps, as the XDG Base Directory Specification has it.
pub(in crate::cli) fn state_folder(environment: &Environment) -> Option<PathBuf> {
    let absolute = |name: &str| environment.otel(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("veilspan"))
}

/// A name that tells nothing of what it stands for.
pub(in crate::cli) fn hidden_name(what: &str, of: &str) -> String {
    let mut hash = Sha256::new_with_prefix(b"veilspan/name/1\0");
    for text in [what, of] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

impl Ledger {
    /// What is known of a session at an endpoint. `folder` is [`state_folder`].
    pub(in crate::cli) fn open(folder: Option<&Path>, endpoint: &str, session: &str) -> Self {
        let Some(folder) = folder.map(|folder| folder.join("sent").join(hidden_name("endpoint", endpoint))) else {
            return Self::default();
        };
        if make_folder(&folder).is_err() {
            tracing::warn!(target: "veilspan", "there is no place to note what was sent: it will be sent again");
            return Self::default();
        }
        SWEPT.call_once(|| forget_old(&folder));
        let path = folder.join(hidden_name("session", session));
        let mut sent = HashSet::new();
        if let Ok(mut file) = super::bytes::open(&path) {
            let mut bytes = Vec::new();
            let limit = (MAX_ENTRIES * ENTRY) as u64;
            if (&mut file).take(limit).read_to_end(&mut bytes).is_ok() {
                sent.extend(bytes.as_chunks::<ENTRY>().0);
            }
        }
        Self { path: Some(path), sent, fresh: Vec::new() }
    }

    /// Whether a span has not been sent yet; from now on it counts as one that is on its way.
    pub(in crate::cli) fn is_new(&mut self, span: SpanIds) -> bool {
        let entry = entry(span);
        let is_new = self.sent.insert(entry);
        if is_new {
            self.fresh.extend(entry);
        }
        is_new
    }

    /// Whether a span has been sent, or is on its way.
    pub(in crate::cli) fn has(&self, span: SpanIds) -> bool {
        self.sent.contains(&entry(span))
    }

    /// All that was on its way has arrived.
    pub(in crate::cli) fn arrived(&mut self) {
        let Some(path) = self.path.as_ref().filter(|_| !self.fresh.is_empty()) else { return };
        if append(path, &self.fresh).is_err() {
            tracing::warn!(target: "veilspan", "what was sent could not be noted: it will be sent again");
        }
        self.fresh.clear();
    }
}

fn entry(span: SpanIds) -> Entry {
    let mut entry = [0; ENTRY];
    let ids = span.trace.as_bytes().iter().chain(span.span.as_bytes());
    entry.iter_mut().zip(ids).for_each(|(place, byte)| *place = *byte);
    entry
}

/// Writes at the end of a file of the owner's alone, that is no link.
pub(in crate::cli) fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }
    let mut file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    file.write_all(bytes)
}

/// Makes a folder of the owner's alone.
pub(in crate::cli) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn forget_old(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|found| found.modified()).ok().and_then(|modified| modified.elapsed().ok());
        if age.is_some_and(|age| age > KEPT) {
            _ = fs::remove_file(entry.path());
        }
    }
}
