//! Results of tools, given again. A tool is run only where it was declared fit for it, and that was asked for.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use bytestring::ByteString;

use super::Cassette;
use crate::event::{CallKind, Closed, Digest, Given, Kind, Measure, Outcome, Returned, Veiled};
use crate::privacy::{Policy, c1};
use crate::replay::recording::Recording;
use crate::replay::whole::Whole;
use crate::semconv::{ERROR_KIND, TOOL_NAME};

/// What running a tool does to the world. Whoever wrote the tool says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It changes something, or nobody said.
    #[default]
    SideEffect,
    /// Running it again changes nothing that running it once did not.
    Idempotent,
    /// It changes nothing.
    Pure,
}

/// Where a tool's result came from (`veilspan.replay.provenance`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provenance {
    /// From the recording.
    Recorded,
    /// From the tool itself.
    Live,
    /// From whoever replays.
    Injected,
}

impl Provenance {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Live => "live",
            Self::Injected => "injected",
        }
    }
}

/// A tool's result and where it came from. `Debug` tells no content.
#[derive(Clone, PartialEq, Eq)]
pub struct ToolAnswer {
    /// The result: a text, or JSON.
    pub result: String,
    /// Where it came from.
    pub provenance: Provenance,
}

impl fmt::Debug for ToolAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolAnswer").field("provenance", &self.provenance).finish_non_exhaustive()
    }
}

/// Why a tool call has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToolRefused {
    /// Nothing was recorded for it, and it may not be run: it has side effects, or nobody asked for that.
    #[error("no result was recorded for this call, and the tool may not be run")]
    NotRecorded,
    /// The call was recorded, and failed.
    #[error("this call was recorded as failed")]
    Failed {
        /// The class of its error (`veilspan.error.kind`), for whoever fails it again.
        kind: String,
    },
}

/// What a recorded call came to.
#[derive(Clone)]
enum Kept {
    Result(String),
    Failed(String),
    /// Not all of its result was kept, or it never ended.
    Nothing,
}

#[derive(Default)]
pub(super) struct Tools {
    /// Of each call, in the order of their starts.
    results: HashMap<(ByteString, Digest), Vec<Kept>>,
    given: Mutex<HashMap<(ByteString, Digest), usize>>,
}

impl Tools {
    pub(super) fn new(recording: &Recording, hashers: &[c1::Hasher], policy: &Policy) -> Self {
        let mut results: HashMap<(ByteString, Digest), Vec<Kept>> = HashMap::new();
        let mut open = HashMap::new();
        let mut calls = Vec::new();
        for event in recording.events().iter().filter(|event| event.key.kind == CallKind::Tool) {
            match &event.kind {
                Kind::Opened(opened, Given::Arguments(arguments)) => {
                    let shown = arguments.shown.content().map(|text| digest(&c1::Hasher::sha256(), text));
                    let keys: Vec<Digest> = arguments.digest.into_iter().chain(shown).collect();
                    open.insert((&event.scope, event.key), calls.len());
                    let whole = Whole::new(hashers, opened.policy.as_ref(), Some(policy));
                    calls.push((opened.attrs.get(TOOL_NAME).unwrap_or_default(), keys, Kept::Nothing, whole));
                }
                Kind::Closed(closed, Returned::Result(result)) => {
                    let call = open.get(&(&event.scope, event.key)).and_then(|place| calls.get_mut(*place));
                    if let Some((_, _, kept, whole)) = call {
                        *kept = Kept::read(closed, result, whole);
                    }
                }
                _ => {}
            }
        }
        // In the order of their starts: the n-th equal call gets the n-th result.
        for (name, mut keys, kept, _) in calls {
            keys.sort_unstable();
            keys.dedup();
            for (key, kept) in keys.into_iter().zip(std::iter::repeat(kept)) {
                results.entry((name.clone(), key)).or_default().push(kept);
            }
        }
        Self { results, given: Mutex::default() }
    }
}

impl Kept {
    fn read(closed: &Closed<Veiled>, result: &Measure, whole: &Whole<'_>) -> Self {
        // A result that says what went wrong is a result.
        match result.shown.content().filter(|_| whole.text(result)) {
            Some(content) => Self::Result(content.to_string()),
            None if result.length.is_none() && closed.outcome.is_some_and(Outcome::is_error) => {
                Self::Failed(closed.attrs.text(ERROR_KIND).unwrap_or("failed").to_owned())
            }
            None => Self::Nothing,
        }
    }
}

fn digest(hasher: &c1::Hasher, arguments: &str) -> Digest {
    c1::arguments(hasher, arguments).digest.unwrap_or_else(|| hasher.digest(&[arguments.as_bytes()]))
}

impl Cassette {
    /// The recorded result of a tool call: the n-th for the n-th call of the tool with these arguments. Where none was
    /// recorded, `run` is called if it is there and the tool was declared pure or idempotent.
    ///
    /// # Errors
    ///
    /// There is neither, or the call failed when it was recorded.
    pub fn tool(
        &self,
        name: &str,
        arguments: &str,
        effect: Effect,
        run: Option<&mut dyn FnMut() -> String>,
    ) -> Result<ToolAnswer, ToolRefused> {
        let mut given = self.tools.given.lock().unwrap_or_else(PoisonError::into_inner);
        for hasher in &self.hashers {
            let key = (ByteString::from(name), digest(hasher, arguments));
            if let Some(results) = self.tools.results.get(&key) {
                let count = given.entry(key).or_default();
                let recorded = results.get(*count);
                *count += usize::from(recorded.is_some());
                match recorded.cloned() {
                    Some(Kept::Result(result)) => return Ok(ToolAnswer { result, provenance: Provenance::Recorded }),
                    Some(Kept::Failed(kind)) => return Err(ToolRefused::Failed { kind }),
                    Some(Kept::Nothing) | None => break,
                }
            }
        }
        drop(given);
        match run.filter(|_| effect != Effect::SideEffect) {
            Some(run) => Ok(ToolAnswer { result: run(), provenance: Provenance::Live }),
            None => Err(ToolRefused::NotRecorded),
        }
    }
}
