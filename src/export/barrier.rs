//! Waiting for what was there when one began to wait, however much comes after it.

/// What one waits for: so many of the spans that are numbered below a limit.
#[derive(Debug)]
struct Barrier {
    ticket: u64,
    below: u64,
    left: u64,
}

/// Those who wait.
#[derive(Debug, Default)]
pub(super) struct Barriers {
    waiting: Vec<Barrier>,
    next_ticket: u64,
}

impl Barriers {
    /// Begins to wait for the `left` spans that are numbered below `below` and not settled.
    pub(super) fn enter(&mut self, below: u64, left: u64) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.waiting.push(Barrier { ticket, below, left });
        ticket
    }

    /// These are settled. Answers whether somebody need not wait any longer.
    pub(super) fn settle(&mut self, numbers: impl Iterator<Item = u64> + Clone) -> bool {
        let mut is_over = false;
        for barrier in &mut self.waiting {
            let settled = numbers.clone().filter(|number| *number < barrier.below).count() as u64;
            barrier.left = barrier.left.saturating_sub(settled);
            is_over |= barrier.left == 0;
        }
        is_over
    }

    pub(super) fn is_over(&self, ticket: u64) -> bool {
        self.waiting.iter().any(|barrier| barrier.ticket == ticket && barrier.left == 0)
    }

    pub(super) fn leave(&mut self, ticket: u64) {
        self.waiting.retain(|barrier| barrier.ticket != ticket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_waits_for_what_was_there_and_for_nothing_that_came_later() {
        let mut barriers = Barriers::default();
        let (early, late) = (barriers.enter(3, 2), barriers.enter(5, 4));
        assert!(!barriers.settle([1, 3].into_iter()));
        assert!(barriers.settle([2].into_iter()));
        assert!(barriers.is_over(early) && !barriers.is_over(late));
        barriers.leave(early);
        assert!(barriers.settle([4].into_iter()) && barriers.is_over(late));
    }
}
