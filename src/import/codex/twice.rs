//! Rows that stand twice in a file: a prompt, or a part of an answer, that was said once.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use crate::import::session::Known;

/// A row of more bytes is known by its length, its beginning, its end, and pieces of what is between.
const WHOLE: usize = 1 << 9;
const END: usize = 128;
const PIECE: usize = 16;

/// A row of this time that tells this.
pub(super) fn row(at: u64, told: &str) -> Known {
    Known::by(known(at, told.as_bytes()))
}

fn known(at: u64, told: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(at);
    hasher.write_usize(told.len());
    if told.len() <= WHOLE {
        hasher.write(told);
        return hasher.finish();
    }
    let (begin, rest) = told.split_at_checked(END).unwrap_or_default();
    let (between, end) = rest.split_at_checked(rest.len() - END).unwrap_or_default();
    hasher.write(begin);
    hasher.write(end);
    between.chunks(between.len() / (END / PIECE)).for_each(|chunk| hasher.write(chunk.get(..PIECE).unwrap_or(chunk)));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use rustc_hash::FxHashSet;

    use super::*;

    #[test]
    fn the_same_at_the_same_time_is_known_and_nothing_else_is() {
        let mut rows = FxHashSet::default();
        for length in [0, 1, 100, WHOLE, WHOLE + 1, 5000, 100_000] {
            let text = "x".repeat(length);
            assert!(rows.insert(known(1, text.as_bytes())) && !rows.insert(known(1, text.as_bytes())));
            assert!(rows.insert(known(2, text.as_bytes())));
            assert!(rows.insert(known(3, format!("{text}y").as_bytes())));
            assert!(rows.insert(known(4, format!("y{text}").as_bytes())));
        }
    }
}
