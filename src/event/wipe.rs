//! Overwriting what held content, at the speed of `memset`.

/// Overwrites a vector, all of its capacity.
///
/// `Zeroize` writes byte by byte, which costs half as much as hashing; here the whole is filled, and zeroize's barrier
/// keeps the compiler from leaving that out. What a growing vector left behind is out of reach: reserve first.
pub(crate) fn wipe(bytes: &mut Vec<u8>) {
    if bytes.capacity() > 0 {
        bytes.clear();
        bytes.resize(bytes.capacity(), 0);
        zeroize::optimization_barrier(bytes.as_slice());
    }
}

/// Overwrites a text, and leaves it empty.
pub(crate) fn wipe_text(text: &mut String) {
    wipe(&mut std::mem::take(text).into_bytes());
}
