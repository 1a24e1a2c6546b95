//! Records of a source that gives them page by page.

use std::collections::HashSet;
use std::hash::Hash;

/// The most pages that are asked for.
pub const MAX_PAGES: usize = 10_000;

/// One page: its records, each with the id that tells it from every other.
pub type Page<I, T> = Vec<(I, T)>;

/// What came of all pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pages<T, E> {
    /// The records, each once.
    pub records: Vec<T>,
    /// How many pages were asked for.
    pub requests: usize,
    /// How many records came more than once.
    pub duplicates: u64,
    /// Whether there may be more: a page failed, the source repeated itself, or there were too many pages.
    pub incomplete: bool,
    /// Why a page failed.
    pub error: Option<E>,
}

impl<T, E> Default for Pages<T, E> {
    fn default() -> Self {
        Self { records: Vec::new(), requests: 0, duplicates: 0, incomplete: false, error: None }
    }
}

/// Pages as they come, each record once.
#[derive(Clone, Debug)]
pub struct Gather<I, T, E> {
    seen: HashSet<I>,
    /// What has come.
    pub pages: Pages<T, E>,
}

impl<I: Eq + Hash, T, E> Default for Gather<I, T, E> {
    fn default() -> Self {
        Self { seen: HashSet::new(), pages: Pages::default() }
    }
}

impl<I: Eq + Hash, T, E> Gather<I, T, E> {
    /// Takes a page, and says how many of its records were new.
    pub fn take(&mut self, page: Page<I, T>) -> usize {
        let before = self.pages.records.len();
        self.pages.requests += 1;
        for (id, record) in page {
            if self.seen.insert(id) {
                self.pages.records.push(record);
            } else {
                self.pages.duplicates += 1;
            }
        }
        self.pages.records.len() - before
    }

    /// A page could not be had: what came is kept, and marked as incomplete. Of several reasons the first is kept.
    pub fn failed(&mut self, error: E) {
        self.pages.requests += 1;
        self.pages.incomplete = true;
        self.pages.error.get_or_insert(error);
    }
}

/// Asks for pages of `size` records, by the number of those that it was given before, until one is not full.
///
/// A page without a record that is new ends it, as does a failure: what came before is kept, and marked as incomplete.
///
/// ```
/// let stored: Vec<u32> = (0..207).collect();
/// let page = |from: usize| Ok::<_, ()>(stored.iter().skip(from).take(100).map(|record| (*record, *record)).collect());
/// let all = veilspan::replay::pages(100, page);
/// assert_eq!((all.records.len(), all.requests, all.incomplete), (207, 3, false));
/// ```
pub fn pages<I: Eq + Hash, T, E>(size: usize, mut fetch: impl FnMut(usize) -> Result<Page<I, T>, E>) -> Pages<T, E> {
    let mut all = Gather::default();
    let mut offset = 0;
    while all.pages.requests < MAX_PAGES {
        let page = match fetch(offset) {
            Ok(page) => page,
            Err(error) => {
                all.failed(error);
                return all.pages;
            }
        };
        let count = page.len();
        let new = all.take(page);
        if count < size.max(1) {
            return all.pages;
        }
        if new == 0 {
            break;
        }
        offset += count;
    }
    all.pages.incomplete = true;
    all.pages
}
