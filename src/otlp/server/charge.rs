//! What one request takes of the bounds, given back when it is dropped.

use std::sync::Arc;

use bytes::Bytes;

use super::gate::Gate;
use super::not_read::NotRead;

/// The bytes that a request takes, and its place among those that are being answered.
pub(crate) struct Charge {
    gate: Arc<Gate>,
    bytes: usize,
    has_place: bool,
    held: Bytes,
}

impl Charge {
    pub(super) fn new(gate: Arc<Gate>) -> Self {
        Self { gate, bytes: 0, has_place: false, held: Bytes::new() }
    }

    /// Takes a place among those that are being answered.
    pub(super) fn admit(&mut self) -> Result<(), NotRead> {
        self.gate.enter()?;
        self.has_place = true;
        Ok(())
    }

    /// So many bytes more.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), NotRead> {
        self.gate.take(bytes)?;
        self.bytes += bytes;
        Ok(())
    }

    /// What came, whose memory is used again when it is answered.
    pub(super) fn hold(&mut self, received: Bytes) {
        self.held = received;
    }

    /// So many less.
    pub(super) fn give_back(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.gate.give_back(bytes);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.gate.spares().give(std::mem::take(&mut self.held));
        self.gate.give_back(self.bytes);
        if self.has_place {
            self.gate.leave();
        }
    }
}
