//! Buffers that held content, wiped at the speed of `memset`.

use std::ops::{Deref, DerefMut};

/// A vector that is overwritten, all of its capacity, when dropped.
///
/// `Zeroize` writes byte by byte, which costs half as much as hashing; here the whole is filled, and zeroize's barrier
/// keeps the compiler from leaving that out. What a growing vector left behind is out of reach: reserve first.
#[derive(Default)]
pub(super) struct WipedVec(Vec<u8>);

impl Deref for WipedVec {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for WipedVec {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Drop for WipedVec {
    fn drop(&mut self) {
        if self.0.capacity() > 0 {
            self.0.clear();
            self.0.resize(self.0.capacity(), 0);
            zeroize::optimization_barrier(self.0.as_slice());
        }
    }
}
