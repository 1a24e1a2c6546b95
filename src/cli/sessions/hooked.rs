//! What hooks told of sessions: in our own journals, and in files of `{ts, hook, payload}` that others record.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::bytes::open;
use super::files::{EVENTS, Found};
use super::ledger::{append, hidden_name, state_folder};
use crate::environment::Environment;
use crate::import::claude::Session;
use crate::import::hook::Fact;
use crate::import::session::unix_nanos;
use crate::json::without_mark;

/// The sessions without a transcript that are told of.
pub(super) const MAX_ALONE: usize = 4096;
/// The longest line of a hook journal.
const MAX_LINE: u64 = 16 << 20;

/// Where our own hooks keep what they are told of a session.
pub(super) fn journal(session: &str) -> Option<PathBuf> {
    Some(own_folder()?.join(format!("{}.jsonl", hidden_name("hooks", session))))
}

fn own_folder() -> Option<PathBuf> {
    Some(state_folder(&Environment::from_process())?.join("hooks"))
}

/// Whether a file holds what hooks told, and no transcript.
pub(super) fn is_of_hooks(file: &Found) -> bool {
    file.name() == EVENTS || own_folder().is_some_and(|own| file.path.parent() == Some(&own))
}

/// The file of recorded hooks that a transcript belongs to: transcripts stand in a folder beside it.
pub(super) fn events_of(transcript: &Path) -> Option<PathBuf> {
    let events = transcript.parent()?.parent()?.join(EVENTS);
    events.is_file().then_some(events)
}

/// Takes a line of any file of hooks for the session of this id; gives its time.
pub(super) fn take(line: &[u8], id: &str, session: &mut Session) -> Option<u64> {
    if let Ok(told) = serde_json::from_slice::<Line<'_>>(line) {
        let is_of_session = session_of(&told, line).is_some_and(|session| session == id);
        let at = unix_nanos(told.ts).filter(|_| is_of_session)?;
        return session.hook(told.payload(line), told.hook, at).then_some(at);
    }
    let fact: Fact = serde_json::from_slice(line).ok()?;
    // A session whose id does not look like one goes by its digest.
    if fact.session != id && !fact.session.starts_with("id:") {
        return None;
    }
    let at = fact.time_unix_nano;
    session.fact(fact);
    Some(at)
}

/// Notes beside a journal that all was sent that its hooks told up to this time.
pub(super) fn note_sent(journal: &Path, up_to: u64) {
    let path = journal.with_extension("sent");
    // Written beside and renamed, so that nobody reads half of it.
    let beside = journal.with_extension("sending");
    _ = std::fs::remove_file(&beside);
    if append(&beside, up_to.to_string().as_bytes()).is_ok() {
        _ = std::fs::rename(&beside, &path);
    }
}

/// Up to when all was sent that the hooks of a journal told.
pub(in crate::cli) fn sent_up_to(journal: &Path) -> Option<u64> {
    let mut text = String::new();
    open(&journal.with_extension("sent")).ok()?.take(32).read_to_string(&mut text).ok()?;
    text.parse().ok()
}

/// The sessions that a file of hooks tells of, and how many of its lines do not say so.
pub(super) fn sessions_in(file: &Path) -> (BTreeSet<String>, u64) {
    let (mut ids, mut aside) = (BTreeSet::new(), 0);
    for line in lines(file).into_iter().flatten() {
        match session_in(&line) {
            Some(id) if ids.len() < MAX_ALONE => _ = ids.insert(id),
            _ => aside += 1,
        }
    }
    (ids, aside)
}

/// The session that a line of any file of hooks is about.
pub(super) fn session_in(line: &[u8]) -> Option<String> {
    let recorded = || session_of(&serde_json::from_slice::<Line<'_>>(line).ok()?, line);
    recorded().or_else(|| serde_json::from_slice::<Fact>(line).ok().map(|fact| fact.session))
}

/// A line of `{ts, hook, payload}`, or of the payload's own members beside these.
#[derive(Deserialize)]
struct Line<'a> {
    ts: &'a str,
    #[serde(default)]
    hook: Option<&'a str>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
}

impl Line<'_> {
    /// What the hook was told: the payload, or the whole line where it stands at its top.
    fn payload<'l>(&'l self, line: &'l [u8]) -> &'l [u8] {
        self.payload.map_or(line, |payload| payload.get().as_bytes())
    }
}

/// The session that such a line is about.
fn session_of(told: &Line<'_>, line: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Payload {
        session_id: String,
    }
    serde_json::from_slice::<Payload>(told.payload(line)).ok().map(|payload| payload.session_id)
}

/// The lines of a file that is no link, without a mark before the first.
pub(super) fn lines(path: &Path) -> Option<impl Iterator<Item = Vec<u8>> + use<>> {
    let mut file = BufReader::new(open(path).ok()?);
    Some(std::iter::from_fn(move || {
        let mut line = Vec::new();
        let read = (&mut file).take(MAX_LINE).read_until(b'\n', &mut line).ok()?;
        let mark = line.len() - without_mark(&line).len();
        line.drain(..mark);
        (read > 0).then_some(line)
    }))
}
