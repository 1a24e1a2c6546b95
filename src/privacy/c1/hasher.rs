//! The function D of form `c1`: SHA-256, or HMAC-SHA-256 with the tenant's key.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::digest::FixedOutput;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::event::{Algorithm, Digest};

/// The bytes that HMAC-SHA-256 takes a key in; a longer key is hashed first (RFC 2104).
const BLOCK: usize = 64;

/// The function D. Cheap to clone; holds no key, only the states that the key leads to, and wipes those when dropped.
#[derive(Clone)]
pub struct Hasher(State);

// The keyed state is made once: HMAC's two key blocks would otherwise double the cost of a short text.
#[derive(Clone)]
enum State {
    Plain,
    Keyed(Hmac<Sha256>),
}

/// A digest in the making.
pub struct Hashing(Running);

enum Running {
    Plain(Sha256),
    Keyed(Hmac<Sha256>),
}

impl Hasher {
    /// SHA-256, without a key: short texts can be guessed.
    pub const fn sha256() -> Self {
        Self(State::Plain)
    }

    /// HMAC-SHA-256 with a key of any length.
    pub fn hmac_sha256(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; BLOCK]);
        let hashed: Zeroizing<[u8; 32]>;
        let fitting = if key.len() > BLOCK {
            hashed = Zeroizing::new(Sha256::digest(key).into());
            hashed.as_slice()
        } else {
            key
        };
        for (place, byte) in block.iter_mut().zip(fitting) {
            *place = *byte;
        }
        // A key shorter than a block is padded with zeros, so that the block is the key.
        Self(State::Keyed(Hmac::new((&*block).into())))
    }

    /// The function of one tenant: its key is derived from this one's. Without a tenant, and without a key, the same.
    pub fn for_tenant(&self, tenant: Option<&str>) -> Self {
        match (&self.0, tenant) {
            (State::Keyed(_), Some(tenant)) => {
                let key = Zeroizing::new(self.digest(&[b"veilspan/tenant/1\0", tenant.as_bytes()]).bytes);
                Self::hmac_sha256(key.as_slice())
            }
            _ => self.clone(),
        }
    }

    /// The name of a key that has none: the first 8 hex digits of its HMAC over a fixed text.
    pub fn key_id(key: &[u8]) -> String {
        let digest = Self::hmac_sha256(key).digest(&[b"veilspan/key-id/1\0"]);
        digest.bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }

    /// How its digests are made.
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            State::Plain => Algorithm::Sha256,
            State::Keyed(_) => Algorithm::HmacSha256,
        }
    }

    /// The digest of the pieces, one after the other.
    pub fn digest(&self, pieces: &[&[u8]]) -> Digest {
        let mut hashing = self.begin();
        for piece in pieces {
            hashing.update(piece);
        }
        hashing.finish()
    }

    /// Begins a digest whose pieces are not all at hand.
    pub fn begin(&self) -> Hashing {
        Hashing(match &self.0 {
            State::Plain => Running::Plain(Sha256::new()),
            State::Keyed(keyed) => Running::Keyed(keyed.clone()),
        })
    }
}

impl Hashing {
    /// Adds a piece.
    pub fn update(&mut self, piece: &[u8]) {
        match &mut self.0 {
            Running::Plain(state) => sha2::Digest::update(state, piece),
            Running::Keyed(state) => Mac::update(state, piece),
        }
    }

    /// The digest of all pieces.
    pub fn finish(self) -> Digest {
        let mut bytes = [0; 32];
        let algorithm = match self.0 {
            Running::Plain(state) => {
                FixedOutput::finalize_into(state, (&mut bytes).into());
                Algorithm::Sha256
            }
            Running::Keyed(state) => {
                FixedOutput::finalize_into(state, (&mut bytes).into());
                Algorithm::HmacSha256
            }
        };
        Digest { algorithm, bytes }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hasher").field(&self.algorithm()).finish()
    }
}

impl fmt::Debug for Hashing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hashing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(digest: Digest) -> String {
        digest.to_string()
    }

    #[test]
    fn keys_of_every_length_follow_rfc_4231() {
        // Test cases 2 and 6: a key shorter, and one longer, than a block.
        let short = Hasher::hmac_sha256(b"Jefe").digest(&[b"what do ya want ", b"for nothing?"]);
        assert_eq!(hex(short), "hmac-sha256:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let long =
            Hasher::hmac_sha256(&[0xaa; 131]).digest(&[b"Test Using Larger Than Block-Size Key - Hash Key First"]);
        assert_eq!(hex(long), "hmac-sha256:60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn a_low_entropy_text_hides_behind_the_key() {
        let one = Hasher::hmac_sha256(&[1; 32]);
        let other = Hasher::hmac_sha256(&[2; 32]);
        let yes = |hasher: &Hasher| hasher.digest(&[b"yes"]);
        assert_ne!(yes(&one).bytes, yes(&Hasher::sha256()).bytes);
        assert_eq!(yes(&one), yes(&one.clone()));
        assert_ne!(yes(&one), yes(&other));
        assert_ne!(Hasher::key_id(&[1; 32]), Hasher::key_id(&[2; 32]));
        assert_eq!(Hasher::key_id(&[1; 32]).len(), 8);
    }

    #[test]
    fn tenants_share_no_digest_and_no_tenant_is_the_key_itself() {
        let keyed = Hasher::hmac_sha256(&[7; 32]);
        let text: &[&[u8]] = &[b"yes"];
        assert_eq!(keyed.digest(text), keyed.for_tenant(None).digest(text));
        assert_ne!(keyed.for_tenant(Some("a")).digest(text), keyed.for_tenant(Some("b")).digest(text));
        assert_ne!(keyed.for_tenant(Some("")).digest(text), keyed.digest(text));
        let plain = Hasher::sha256();
        assert_eq!(plain.for_tenant(Some("a")).digest(text), plain.digest(text));
    }

    #[test]
    fn what_prints_of_a_hasher_is_its_algorithm_alone() {
        assert_eq!(format!("{:?}", Hasher::hmac_sha256(b"secret")), "Hasher(HmacSha256)");
        assert_eq!(format!("{:?}", Hasher::hmac_sha256(b"secret").begin()), "Hashing");
    }
}
