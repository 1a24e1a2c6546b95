//! Turns of which hooks alone were told before their transcript came.
//!
//! A hook gives a turn no id, so that a turn is known by its place among them as long as there is no transcript. One that
//! was sent so keeps that name when its transcript tells of it: what was sent is not sent again under another one, and
//! what only the transcript knows is told beside it.

use bytestring::ByteString;

use super::alone;
use super::hooks::latest;
use crate::event::{Measure, SpanIds};
use crate::import::hook::Fact;
use crate::import::session::{Desk, Thread};

/// How far apart a hook and a row may tell of the same prompt, in nanoseconds: an agent writes the one at once, and the
/// other when it gets to it.
const APART: u64 = 60_000_000_000;
/// And where there are no digests to compare.
const APART_UNKNOWN: u64 = 2_000_000_000;

/// A turn that was sent.
struct Turn {
    id: String,
    at: u64,
    prompt: Measure,
}

/// The turns that were sent.
#[derive(Default)]
pub(super) struct Known {
    /// Oldest first.
    turns: Vec<Turn>,
    /// When the one seemed to begin whose prompt hooks did not tell.
    unprompted: Option<u64>,
}

impl Known {
    /// Of the turns that these hooks tell of those of which spans were sent.
    pub(super) fn of<E>(
        facts: &[Fact],
        (thread, desk): (&Thread, &Desk),
        mut was_sent: impl FnMut(&ByteString, SpanIds) -> Result<bool, E>,
    ) -> Result<Self, E> {
        let mut known = Vec::new();
        for (id, fact) in alone::turns(facts) {
            if let Some(span) = thread.span_of_turn(desk, &id)
                && was_sent(&thread.who.rollout, span)?
            {
                known.push(Turn { id, at: fact.time_unix_nano, prompt: fact.prompt() });
            }
        }
        let mut unprompted = alone::unprompted(facts);
        if unprompted.is_some() {
            let span = thread.span_of_turn(desk, alone::UNPROMPTED);
            let is_sent = span.map_or(Ok(false), |span| was_sent(&thread.who.rollout, span))?;
            unprompted = unprompted.filter(|_| is_sent);
        }
        Ok(Self { turns: known, unprompted })
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// When the turn seemed to begin that was sent without its prompt: that is the last one before.
    pub(super) const fn unprompted(&self) -> Option<u64> {
        self.unprompted
    }

    /// Its prompt stands at this time.
    pub(super) fn prompted(&mut self, at: u64) {
        self.unprompted = None;
        self.turns.insert(0, Turn { id: alone::UNPROMPTED.to_owned(), at, prompt: Measure::default() });
    }

    /// The name under which a turn was sent that began with this prompt at this time. No other turn has it.
    pub(super) fn take(&mut self, at: u64, prompt: &Measure) -> Option<String> {
        let is_it = |turn: &Turn| {
            let apart = at.saturating_sub(latest(turn.at)).max(turn.at.saturating_sub(at));
            match (turn.prompt.digest, prompt.digest) {
                (Some(told), Some(digest)) => told == digest && apart <= APART,
                _ => apart <= APART_UNKNOWN,
            }
        };
        let place = self.turns.iter().position(is_it)?;
        Some(self.turns.remove(place).id)
    }
}
