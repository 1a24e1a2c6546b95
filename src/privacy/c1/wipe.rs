//! Buffers that held content.

use std::ops::{Deref, DerefMut};

use crate::event::wipe;

/// A vector that is overwritten, all of its capacity, when dropped.
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
        wipe(&mut self.0);
    }
}
