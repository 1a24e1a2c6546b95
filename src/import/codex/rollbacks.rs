//! Turns that a user may take back.

use std::collections::VecDeque;

use crate::event::Link;
use crate::import::session::Thread;
use crate::privacy::conversation::Place;

/// The newest turns that can be taken back.
const REMEMBERED: usize = 512;

/// Where a thread stood when a turn began.
struct Began {
    place: Place,
    before: Option<Link>,
    /// A user asked something in it: no other turn is counted where turns are taken back.
    is_asked: bool,
}

/// The newest turns, oldest first.
#[derive(Default)]
pub(super) struct Rollbacks(VecDeque<Began>);

impl Rollbacks {
    /// A turn begins.
    pub(super) fn begin(&mut self, thread: &Thread) {
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(Began { place: thread.place(), before: thread.before, is_asked: false });
    }

    /// A user asks something in the turn that runs.
    pub(super) fn asked(&mut self) {
        if let Some(turn) = self.0.back_mut() {
            turn.is_asked = true;
        }
    }

    /// The user takes so many turns back, and what came between them: where the thread stands then, and which turn it
    /// follows.
    pub(super) fn take_back(&mut self, turns: u64) -> Option<(Place, Option<Link>)> {
        let mut left = turns;
        while let Some(Began { place, before, is_asked }) = self.0.pop_back() {
            left = left.saturating_sub(u64::from(is_asked));
            if left == 0 || self.0.is_empty() {
                return Some((place, before));
            }
        }
        None
    }
}
