//! Waiting for what was there when one began to wait, however much comes after it.

/// What one waits for: so many of the spans that are numbered below a limit.
#[derive(Debug)]
struct Barrier {
    ticket: u64,
    below: u64,
    /// Not known before it begins.
    left: Option<u64>,
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
        let ticket = self.announce();
        self.begin(ticket, below, left);
        ticket
    }

    /// Somebody is going to wait, and does not know yet for what.
    pub(super) fn announce(&mut self) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.waiting.push(Barrier { ticket, below: 0, left: None });
        ticket
    }

    /// What was announced begins. Answers whether anybody waits for it still.
    pub(super) fn begin(&mut self, ticket: u64, below: u64, left: u64) -> bool {
        let barrier = self.waiting.iter_mut().find(|barrier| barrier.ticket == ticket);
        barrier.map(|barrier| (barrier.below, barrier.left) = (below, Some(left))).is_some()
    }

    /// These are settled. Answers whether somebody need not wait any longer.
    pub(super) fn settle(&mut self, numbers: impl Iterator<Item = u64> + Clone) -> bool {
        let mut is_over = false;
        for barrier in &mut self.waiting {
            let Some(left) = &mut barrier.left else { continue };
            let settled = numbers.clone().filter(|number| *number < barrier.below).count() as u64;
            *left = left.saturating_sub(settled);
            is_over |= *left == 0;
        }
        is_over
    }

    pub(super) fn is_over(&self, ticket: u64) -> bool {
        self.waiting.iter().any(|barrier| barrier.ticket == ticket && barrier.left == Some(0))
    }

    /// Waits no longer. Answers whether it had begun.
    pub(super) fn leave(&mut self, ticket: u64) -> bool {
        let place = self.waiting.iter().position(|barrier| barrier.ticket == ticket);
        place.is_some_and(|place| self.waiting.swap_remove(place).left.is_some())
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
        assert!(barriers.leave(early) && !barriers.leave(early));
        assert!(barriers.settle([4].into_iter()) && barriers.is_over(late));
    }

    #[test]
    fn what_was_announced_waits_for_what_is_there_when_it_begins() {
        let mut barriers = Barriers::default();
        let [ticket, given_up, other] = [(); 3].map(|()| barriers.announce());
        assert!(!barriers.settle([0].into_iter()) && !barriers.is_over(ticket));
        assert!(!barriers.leave(given_up) && !barriers.begin(given_up, 9, 3), "it had not begun, and nobody waits");
        assert!(barriers.begin(ticket, 3, 2) && barriers.begin(other, 3, 0));
        assert!(barriers.is_over(other) && barriers.leave(other));
        assert!(!barriers.settle([1, 3].into_iter()) && !barriers.is_over(ticket));
        assert!(barriers.settle([2].into_iter()) && barriers.is_over(ticket));
    }
}
