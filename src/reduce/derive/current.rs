//! The numbers of a history's items, as it is now.

use crate::reduce::graph::Numbers;

/// A history as it is now.
#[derive(Default)]
pub(super) struct Current {
    pub(super) list: Vec<u32>,
    /// The same, so that histories are compared and kept by what each adds.
    pub(super) numbers: Numbers,
}

impl Current {
    pub(super) fn extend(&mut self, numbers: &[u32]) {
        self.list.extend_from_slice(numbers);
        self.numbers.extend(numbers.iter().copied());
    }

    /// Makes it begin with a history that was known before.
    pub(super) fn go_back_to(&mut self, known: &Numbers) {
        if !known.begins(&self.numbers) {
            let shared = self.numbers.shared(known);
            self.list.truncate(shared);
            self.list.extend(known.starting_at(shared));
            self.numbers = known.clone();
        }
    }

    /// Keeps the first `length`.
    pub(super) fn cut(&mut self, length: usize) {
        self.list.truncate(length);
        self.numbers = self.numbers.first(length);
    }
}
