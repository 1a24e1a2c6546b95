//! Labels that come again and again, kept for the life of the process.
//!
//! A label that was made for one call is shared by counting, which costs more than the label itself when each call has a
//! dozen of them. One that is kept for good is not counted. So many are kept and no more; the others stay as they were.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::label::MAX_LABEL_BYTES;

/// With their own memory a quarter of a megabyte at the most.
const MOST: usize = 1024;

static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The same label, kept for good; nothing where there is no room for it.
pub(super) fn kept(label: &str) -> Option<&'static str> {
    if label.len() > MAX_LABEL_BYTES {
        return None;
    }
    let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.get(label) {
        return Some(known);
    }
    if all.len() >= MOST {
        return None;
    }
    let text: &'static str = String::from(label).leak();
    all.insert(text);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_stays_the_same_and_no_more_are_kept_than_may_be() {
        for number in 0..2 * MOST {
            let label = format!("label-{number}");
            assert!(kept(&label).is_none_or(|kept| kept == label && number < MOST));
        }
        assert_eq!(kept(&"x".repeat(MAX_LABEL_BYTES + 1)), None);
        assert!(KEPT.lock().unwrap().len() <= MOST);
    }
}
