//! Which histories were shown in which thread.

use hashbrown::HashMap;

use super::paged::Paged;
use super::rollout::ENTRY;

/// The calls that have shown a history, by the place of its chain digest: the fingerprint of one, or 0 for several.
#[derive(Clone, Debug, Default)]
pub(super) struct Chains {
    /// Of the first thread that showed it, by the digest's place: nearly all digests of a rollout's table are chains.
    first: Paged<Packed>,
    len: u32,
    /// Of other threads, by thread and digest.
    others: HashMap<(u32, u32), u32>,
}

#[derive(Clone, Copy, Debug)]
struct First {
    thread: u32,
    by: u32,
}

/// Such an entry as it is kept: the fingerprint, and the thread where it is one of the first.
type Packed = [u8; 6];

/// Nobody has shown it.
const NOBODY: Packed = [u8::MAX; 6];
/// Of threads from here on, all is kept with the others.
const MOST_THREADS: u32 = 0xffff;

impl First {
    fn of(packed: Packed) -> Option<Self> {
        let [a, b, c, d, e, f] = packed;
        let thread = u32::from(u16::from_le_bytes([e, f]));
        (thread < MOST_THREADS).then(|| Self { thread, by: u32::from_le_bytes([a, b, c, d]) })
    }

    fn packed(self) -> Packed {
        let ([a, b, c, d], [e, f, ..]) = (self.by.to_le_bytes(), self.thread.to_le_bytes());
        [a, b, c, d, e, f]
    }
}

impl Chains {
    pub(super) fn note(&mut self, thread: u32, chain: u32, by: u32) {
        while self.len <= chain && thread < MOST_THREADS {
            if self.first.push(&[NOBODY]).is_none() {
                return;
            }
            self.len += 1;
        }
        let told = |known: u32| if known == by { by } else { 0 };
        if let Some(place) = self.first.starting_at_mut(chain).first_mut().filter(|_| thread < MOST_THREADS) {
            match First::of(*place) {
                None => return *place = First { thread, by }.packed(),
                Some(first) if first.thread == thread => return *place = First { thread, by: told(first.by) }.packed(),
                Some(_) => {}
            }
        }
        let known = self.others.entry((thread, chain)).or_insert(by);
        *known = told(*known);
    }

    pub(super) fn shown_by(&self, thread: u32, chain: u32) -> Option<u32> {
        match self.first.at(chain).and_then(|first| First::of(*first)) {
            Some(first) if first.thread == thread => Some(first.by),
            _ => self.others.get(&(thread, chain)).copied(),
        }
    }

    pub(super) fn held(&self) -> usize {
        self.first.held() + self.others.len() * ENTRY
    }

    /// What it takes at most to note one more.
    pub(super) fn cost(&self, chain: u32) -> usize {
        self.first.cost((chain + 1).saturating_sub(self.len) as usize) + ENTRY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_has_its_own_and_two_calls_that_show_one_are_several() {
        let mut chains = Chains::default();
        for (thread, chain, by) in [(0, 5, 7), (1, 5, 9), (0, 2, 3), (0, 2, 3), (1, 5, 11)] {
            let bound = chains.held() + chains.cost(chain) + 1;
            chains.note(thread, chain, by);
            assert!(chains.held() <= bound);
        }
        let shown = |thread, chain| chains.shown_by(thread, chain);
        assert_eq!((shown(0, 5), shown(1, 5), shown(0, 2), shown(1, 2)), (Some(7), Some(0), Some(3), None));
        assert_eq!((shown(0, 3), shown(2, 5), shown(0, 99)), (None, None, None));
    }
}
