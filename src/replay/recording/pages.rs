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

/// Asks for pages of `size` records, by the number of those that it was given before, until one is not full.
///
/// A page without a record that is new ends it, as does a failure: what came before is kept, and marked as incomplete.
pub fn pages<I: Eq + Hash, T, E>(size: usize, mut fetch: impl FnMut(usize) -> Result<Page<I, T>, E>) -> Pages<T, E> {
    let mut seen = HashSet::new();
    let mut all = Pages { records: Vec::new(), requests: 0, duplicates: 0, incomplete: false, error: None };
    let mut offset = 0;
    while all.requests < MAX_PAGES {
        all.requests += 1;
        let page = match fetch(offset) {
            Ok(page) => page,
            Err(error) => {
                (all.incomplete, all.error) = (true, Some(error));
                return all;
            }
        };
        let (count, before) = (page.len(), all.records.len());
        for (id, record) in page {
            if seen.insert(id) {
                all.records.push(record);
            } else {
                all.duplicates += 1;
            }
        }
        if count < size.max(1) {
            return all;
        }
        if all.records.len() == before {
            break;
        }
        offset += count;
    }
    all.incomplete = true;
    all
}
