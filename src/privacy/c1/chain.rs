//! The chain digest: one digest for a whole history, that grows with it.

use super::Hasher;
use crate::event::{Digest, Role};

/// A chain digest and the function that extends it.
#[derive(Clone, Debug)]
pub struct Chain<'h> {
    hasher: &'h Hasher,
    head: Digest,
}

impl<'h> Chain<'h> {
    /// The chain before the first message, from the digests of the system instructions and the tools, where there are any.
    pub fn new(hasher: &'h Hasher, system: Option<&Digest>, tools: Option<&Digest>) -> Self {
        let head = match (system, tools) {
            (None, None) => hasher.bare_head(),
            _ => first_head(hasher, system, tools),
        };
        Self { hasher, head }
    }

    /// The chain that a known head stands for.
    pub const fn resume(hasher: &'h Hasher, head: Digest) -> Self {
        Self { hasher, head }
    }

    /// Extends it by a message.
    pub fn push(&mut self, role: Role, message: &Digest) {
        self.head = self.hasher.digest(&[&self.head.bytes, &[role.chain_byte()], &message.bytes]);
    }

    /// The digest of all so far.
    pub const fn head(&self) -> Digest {
        self.head
    }
}

/// The chain before the first message.
pub(super) fn first_head(hasher: &Hasher, system: Option<&Digest>, tools: Option<&Digest>) -> Digest {
    let bytes = |digest: Option<&Digest>| digest.map_or([0; 32], |digest| digest.bytes);
    hasher.digest(&[b"c1/chain\0", &bytes(system), &bytes(tools)])
}
