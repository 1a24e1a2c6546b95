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

/// Overwrites the bytes of a text from `start` on, and leaves what was before and all of its memory.
pub(crate) fn wipe_from(text: &mut String, start: usize) {
    if text.len() <= start {
        return;
    }
    let mut bytes = std::mem::take(text).into_bytes();
    if let Some(end) = bytes.get_mut(start..) {
        end.fill(0);
        zeroize::optimization_barrier(&*end);
    }
    bytes.truncate(start);
    *text = String::from_utf8(bytes).unwrap_or_default();
}

/// Overwrites a text, and leaves it empty.
pub(crate) fn wipe_text(text: &mut String) {
    wipe(&mut std::mem::take(text).into_bytes());
}
