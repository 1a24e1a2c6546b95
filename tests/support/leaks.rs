//! Looking for one planted text in bytes.

use super::canaries::Search;

/// Whether `bytes` hold `text` as it is, or in one of the forms in which it could hide.
pub fn holds(bytes: &[u8], text: &str) -> bool {
    !Search::new([text]).find(bytes).is_empty()
}
