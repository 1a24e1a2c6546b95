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
use crate::import::session::{Aside, AsideReason, unix_nanos};
use crate::json::without_mark;
use crate::privacy::Policy;

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
pub(super) fn take(line: &[u8], id: &str, session: &mut Session) -> Result<Option<u64>, AsideReason> {
    let Some(told) = told(line)? else { return Ok(None) };
    match told.what {
        What::Payload { .. } if told.session != id => Ok(None),
        What::Payload { payload, hook, at } => Ok(session.hook(payload, hook.as_deref(), at).then_some(at)),
        // A session whose id does not look like one goes by its digest.
        What::Fact(fact) if told.session != id && !fact.session.starts_with("id:") => Ok(None),
        What::Fact(fact) => {
            let at = fact.time_unix_nano;
            session.fact(*fact);
            Ok(Some(at))
        }
    }
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

/// The sessions that a file of hooks tells of, and how many more there are than may be. What cannot be used is given to
/// `aside`, by its line.
pub(super) fn sessions_in(file: &Path, mut aside: impl FnMut(u64, AsideReason)) -> (BTreeSet<String>, u64) {
    let (mut ids, mut more) = (BTreeSet::new(), 0);
    for (number, line) in (1..).zip(lines(file).into_iter().flatten()) {
        match session_in(&line) {
            Ok(Some(id)) if ids.len() < MAX_ALONE => _ = ids.insert(id),
            Ok(Some(id)) => more += u64::from(!ids.contains(&id)),
            Ok(None) => {}
            Err(reason) => aside(number, reason),
        }
    }
    (ids, more)
}

/// The session that a line of any file of hooks is about; none where the line is empty.
pub(super) fn session_in(line: &[u8]) -> Result<Option<String>, AsideReason> {
    Ok(told(line)?.map(|told| told.session))
}

/// A line that is set aside, with nothing of what it says.
pub(super) fn aside(policy: &Policy, file: &Path, line: u64, reason: AsideReason) -> Aside {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Aside { file: policy.label(&name).to_string().into(), line, reason }
}

/// What a line tells, and of which session.
struct Told<'l> {
    session: String,
    what: What<'l>,
}

enum What<'l> {
    /// What another recorder noted that a hook was told.
    Payload { payload: &'l [u8], hook: Option<String>, at: u64 },
    /// What our own hook kept of that.
    Fact(Box<Fact>),
}

/// A line of `{ts, hook, payload}`, or of the payload's own members beside these.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    ts: Option<&'a RawValue>,
    #[serde(borrow, default)]
    hook: Option<&'a RawValue>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
}

/// What of a payload is looked at here.
#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow, default)]
    session_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "sessionId")]
    session_id_in_camel: Option<&'a RawValue>,
    #[serde(borrow, default)]
    hook_event_name: Option<&'a RawValue>,
}

/// Reads a line; nothing where it is empty. The last one of a file may have no end.
fn told(line: &[u8]) -> Result<Option<Told<'_>>, AsideReason> {
    let has_end = line.ends_with(b"\n");
    read(line.trim_ascii()).map_err(|reason| match reason {
        AsideReason::NotJson if !has_end => AsideReason::Truncated,
        reason => reason,
    })
}

fn read(line: &[u8]) -> Result<Option<Told<'_>>, AsideReason> {
    match line.first() {
        None => return Ok(None),
        Some(b'{') if line.len() as u64 >= MAX_LINE => return Err(AsideReason::Oversize),
        Some(b'{') => {}
        Some(_) => return Err(AsideReason::NotJson),
    }
    let recorded: Line<'_> = serde_json::from_slice(line).map_err(|error| reason(&error))?;
    let Some(ts) = recorded.ts else {
        let fact: Fact = serde_json::from_slice(line).map_err(|error| reason(&error))?;
        let session = Some(fact.session.clone()).filter(|session| !session.is_empty()).ok_or(AsideReason::Field)?;
        return Ok(Some(Told { session, what: What::Fact(Box::new(fact)) }));
    };
    // Where there is no payload the whole line is one.
    let payload = recorded.payload.map_or(line, |payload| payload.get().as_bytes());
    let known: Payload<'_> = serde_json::from_slice(payload).map_err(|error| reason(&error))?;
    let at = unix_nanos(&word(Some(ts)).unwrap_or_default()).ok_or(AsideReason::Field)?;
    let session = word(known.session_id).or_else(|| word(known.session_id_in_camel)).ok_or(AsideReason::Field)?;
    let hook = word(recorded.hook);
    if hook.is_none() && word(known.hook_event_name).is_none() {
        return Err(AsideReason::Field);
    }
    Ok(Some(Told { session, what: What::Payload { payload, hook, at } }))
}

fn reason(error: &serde_json::Error) -> AsideReason {
    if error.is_data() { AsideReason::Field } else { AsideReason::NotJson }
}

/// A text that is one, and not empty.
fn word(value: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(value?.get()).ok().filter(|text: &String| !text.is_empty())
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
