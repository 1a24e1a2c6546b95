//! Small letters without the heap: what is judged is short, and much of it is judged in source code.

use smallvec::SmallVec;

/// Bytes with ASCII's capitals as small letters.
pub(super) fn lower(bytes: &[u8]) -> SmallVec<[u8; 96]> {
    bytes.iter().map(u8::to_ascii_lowercase).collect()
}
