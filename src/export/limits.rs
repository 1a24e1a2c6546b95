//! The limits of batches and of what waits, and who gives way first.

use std::time::Duration;

/// The limits of batches and of what waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) batch_spans: usize,
    pub(super) batch_bytes: usize,
    pub(super) batch_delay: Duration,
    pub(super) queue_bytes: usize,
    pub(super) queue_spans: usize,
}

/// What a span tells, the least first: where room runs short a span is taken only while more of it is left than those
/// above may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// A call that was completed, with its content.
    Content,
    /// The same without.
    Completed,
    /// A call that failed, was cancelled or denied, or a finding.
    Failed,
    /// The end of a turn.
    TurnEnd,
}

impl Rank {
    /// How much of `room` may be in use when a span of this rank is taken, in sixteenths.
    const fn share(self) -> usize {
        match self {
            Self::Content => 12,
            Self::Completed => 14,
            Self::Failed => 15,
            Self::TurnEnd => 16,
        }
    }

    /// As much of `room` as spans of this rank and of lower ones may take.
    pub(super) const fn of(self, room: usize) -> usize {
        room / 16 * self.share() + room % 16 * self.share() / 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rank_leaves_room_for_those_above_it() {
        let ranks = [Rank::Content, Rank::Completed, Rank::Failed, Rank::TurnEnd];
        for room in [0, 17, 4096, usize::MAX] {
            assert!(ranks.windows(2).all(|pair| pair[0].of(room) <= pair[1].of(room)));
            assert_eq!(Rank::TurnEnd.of(room), room);
        }
        assert_eq!(Rank::Content.of(1600), 1200);
    }
}
