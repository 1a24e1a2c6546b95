//! Which of several ends counts.
//!
//! Terminal states stick: the first terminal in the order of (time, producer, count) counts, and what comes after it is
//! a conflict. At the same time `cancelled` comes before `failed`, other failures and `completed`: who stopped a call
//! knows more than who saw it return. `abandoned` says only that nobody told, so it gives way to anybody who does; an
//! end without an outcome gives way to one that has it.

use std::cmp::Reverse;

use crate::event::{At, Outcome};
use crate::reduce::facts::Closing;
use crate::reduce::graph::Conflict;

/// The end that counts, and those that lost against it: each other outcome once, the first time it was told.
#[derive(Default)]
pub(super) struct Settled<'a> {
    pub(super) closing: Option<&'a Closing>,
    pub(super) losers: Vec<Conflict>,
}

pub(super) fn settle<'a>(closings: impl Iterator<Item = &'a Closing>) -> Settled<'a> {
    let mut settled = Settled::default();
    for closing in closings {
        let Some(winner) = settled.closing else {
            settled.closing = Some(closing);
            continue;
        };
        // Of two that are equal in this order the one that comes first stays.
        let (winner, loser) = if order(closing) < order(winner) { (closing, winner) } else { (winner, closing) };
        settled.closing = Some(winner);
        note(&mut settled.losers, loser);
    }
    let outcome = settled.closing.and_then(|closing| closing.outcome);
    settled.losers.retain(|loser| Some(loser.outcome) != outcome);
    settled.losers.sort_unstable();
    settled
}

fn note(losers: &mut Vec<Conflict>, closing: &Closing) {
    let Some(outcome) = closing.outcome.filter(|outcome| *outcome != Outcome::Abandoned) else { return };
    match losers.iter_mut().find(|loser| loser.outcome == outcome) {
        Some(loser) => loser.at = loser.at.min(closing.at),
        None => losers.push(Conflict { outcome, at: closing.at }),
    }
}

fn order(closing: &Closing) -> (Reverse<u8>, u64, u8, At) {
    let certainty = match closing.outcome {
        None => 0,
        Some(Outcome::Abandoned) => 1,
        Some(_) => 2,
    };
    let strength = match closing.outcome {
        Some(Outcome::Cancelled) => 0,
        Some(Outcome::Failed) => 1,
        Some(Outcome::Timeout) => 2,
        Some(Outcome::Disconnected) => 3,
        Some(Outcome::Denied) => 4,
        Some(Outcome::Completed) => 5,
        Some(Outcome::Abandoned) | None => 6,
    };
    (Reverse(certainty), closing.at.time_unix_nano, strength, closing.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Attrs, Measure};
    use crate::reduce::facts::ReturnedFact;

    fn closing(outcome: Option<Outcome>, time_unix_nano: u64) -> Closing {
        let at = At { time_unix_nano, producer: None, seq: None };
        let returned = ReturnedFact::Texts(Vec::new());
        Closing { at, outcome, attrs: Attrs::default(), error: Measure::default(), links: Vec::new(), returned }
    }

    fn winner(told: &[(Outcome, u64)]) -> (Option<Outcome>, usize) {
        let closings: Vec<_> = told.iter().map(|(outcome, time)| closing(Some(*outcome), *time)).collect();
        let forwards = settle(closings.iter());
        let backwards = settle(closings.iter().rev());
        assert_eq!(forwards.closing, backwards.closing);
        assert_eq!(forwards.losers, backwards.losers);
        (forwards.closing.and_then(|closing| closing.outcome), forwards.losers.len())
    }

    #[test]
    fn the_first_terminal_counts_and_the_others_are_kept() {
        use Outcome::{Cancelled, Completed, Failed};
        assert_eq!(winner(&[(Cancelled, 5), (Completed, 6)]), (Some(Cancelled), 1));
        assert_eq!(winner(&[(Failed, 5), (Completed, 6), (Cancelled, 7)]), (Some(Failed), 2));
        assert_eq!(winner(&[(Completed, 5), (Cancelled, 6)]), (Some(Completed), 1));
    }

    #[test]
    fn at_the_same_time_cancelled_comes_before_failed_before_completed() {
        use Outcome::{Cancelled, Completed, Failed};
        assert_eq!(winner(&[(Completed, 5), (Failed, 5), (Cancelled, 5)]), (Some(Cancelled), 2));
        assert_eq!(winner(&[(Completed, 5), (Failed, 5)]), (Some(Failed), 1));
    }

    #[test]
    fn abandoned_gives_way_to_whoever_tells_and_is_no_conflict() {
        assert_eq!(winner(&[(Outcome::Abandoned, 5), (Outcome::Completed, 9)]), (Some(Outcome::Completed), 0));
        let wait = closing(None, 1);
        let abandoned = closing(Some(Outcome::Abandoned), 2);
        assert_eq!(settle([&wait, &abandoned].into_iter()).closing, Some(&abandoned));
    }
}
