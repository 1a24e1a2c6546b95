//! The function D of form `c1`: SHA-256, or HMAC-SHA-256 with the tenant's key.

use std::fmt;
use std::sync::OnceLock;

use smallvec::SmallVec;
use zeroize::Zeroizing;

use super::chain;
use super::sha256::{self, BLOCK, Lane, Sha256, State};
use crate::event::{Algorithm, Digest};

/// The function D. Cheap to clone; holds no key, only the states that the key leads to, and wipes those when dropped.
#[derive(Clone)]
pub struct Hasher(Option<Keyed>);

/// What the two blocks of HMAC's key lead to (RFC 2104, section 4): made once, since they would otherwise double the cost of
/// a short text.
#[derive(Clone)]
struct Keyed {
    inner: State,
    outer: State,
    /// Of chains without instructions and tools, as most calls have one.
    bare_head: OnceLock<Digest>,
}

/// A digest in the making.
pub struct Hashing {
    running: Sha256,
    outer: Option<Outer>,
}

/// What is to become of a digest, where there is a key.
struct Outer(State);

/// A digest in the making, and the last piece of it.
pub(super) struct Last<'p> {
    pub(super) hashing: Hashing,
    pub(super) piece: &'p [u8],
}

impl Hasher {
    /// SHA-256, without a key: short texts can be guessed.
    pub const fn sha256() -> Self {
        Self(None)
    }

    /// HMAC-SHA-256 with a key of any length.
    pub fn hmac_sha256(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; BLOCK]);
        // A longer key is hashed first, and a shorter one padded with zeros.
        let hashed = Zeroizing::new(if key.len() > BLOCK { Self::sha256().digest(&[key]).bytes } else { [0; 32] });
        let fitting = if key.len() > BLOCK { hashed.as_slice() } else { key };
        for (place, byte) in block.iter_mut().zip(fitting) {
            *place = *byte;
        }
        let behind = |pad: u8| sha256::behind(&Zeroizing::new(block.map(|byte| byte ^ pad)));
        Self(Some(Keyed { inner: behind(0x36), outer: behind(0x5c), bare_head: OnceLock::new() }))
    }

    /// The function of one tenant: its key is derived from this one's. Without a tenant, and without a key, the same.
    pub fn for_tenant(&self, tenant: Option<&str>) -> Self {
        match (&self.0, tenant) {
            (Some(_), Some(tenant)) => {
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
            None => Algorithm::Sha256,
            Some(_) => Algorithm::HmacSha256,
        }
    }

    /// The chain before the first message of a call without instructions and tools.
    pub(super) fn bare_head(&self) -> Digest {
        static PLAIN: OnceLock<Digest> = OnceLock::new();
        let known = self.0.as_ref().map_or(&PLAIN, |keyed| &keyed.bare_head);
        *known.get_or_init(|| chain::first_head(self, None, None))
    }

    /// The digest of the pieces, one after the other.
    pub fn digest(&self, pieces: &[&[u8]]) -> Digest {
        let (state, blocks) = self.0.as_ref().map_or((sha256::BEGINNING, 0), |keyed| (keyed.inner, 1));
        if pieces.iter().map(|piece| piece.len()).sum::<usize>() <= sha256::SHORT
            && let Some(bytes) = sha256::short(state, blocks, pieces)
        {
            return finish(bytes, self.0.as_ref().map(|keyed| &keyed.outer));
        }
        let mut hashing = self.begin();
        for piece in pieces {
            hashing.update(piece);
        }
        hashing.finish()
    }

    /// The digest of each of some texts, sooner than one after the other.
    #[cfg(any(feature = "collector", feature = "sdk"))]
    pub(crate) fn digests<'t>(&self, texts: impl Iterator<Item = &'t [u8]>) -> SmallVec<[Digest; 4]> {
        finish_all(texts.map(|piece| Last { hashing: self.begin(), piece }))
    }

    /// Begins a digest whose pieces are not all at hand.
    pub fn begin(&self) -> Hashing {
        match &self.0 {
            None => Hashing { running: Sha256::new(), outer: None },
            Some(Keyed { inner, outer, .. }) => {
                Hashing { running: Sha256::after(*inner, 1), outer: Some(Outer(*outer)) }
            }
        }
    }
}

impl Hashing {
    /// Adds a piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.running.take(piece);
    }

    /// The digest of all pieces.
    pub fn finish(self) -> Digest {
        finish(self.running.finish(), self.outer.as_ref().map(|Outer(state)| state))
    }
}

/// What becomes of a digest.
fn finish(bytes: [u8; 32], outer: Option<&State>) -> Digest {
    match outer {
        None => Digest { algorithm: Algorithm::Sha256, bytes },
        Some(outer) => Digest { algorithm: Algorithm::HmacSha256, bytes: sha256::of_digest(*outer, &bytes) },
    }
}

impl Last<'_> {
    pub(super) fn finish(self) -> Digest {
        let Self { mut hashing, piece } = self;
        hashing.update(piece);
        hashing.finish()
    }
}

/// The digests of all, in order, which are made two at a time.
pub(super) fn finish_all<'p>(all: impl Iterator<Item = Last<'p>>) -> SmallVec<[Digest; 4]> {
    let mut made = SmallVec::<[Digest; 4]>::with_capacity(all.size_hint().0);
    let lanes = all.map(|Last { hashing: Hashing { running, outer }, piece }| {
        Lane::of(running, outer.as_ref().map(|Outer(state)| Sha256::after(*state, 1)), piece)
    });
    sha256::finish_in_turns(lanes, |number, is_keyed, bytes| {
        let algorithm = if is_keyed { Algorithm::HmacSha256 } else { Algorithm::Sha256 };
        let digest = Digest { algorithm, bytes };
        // Those before it that take longer come later.
        made.resize(made.len().max(number + 1), digest);
        made.get_mut(number).into_iter().for_each(|place| *place = digest);
    });
    made
}

impl Drop for Outer {
    fn drop(&mut self) {
        sha256::wipe(&mut self.0);
    }
}

impl Drop for Keyed {
    fn drop(&mut self) {
        sha256::wipe(&mut self.inner);
        sha256::wipe(&mut self.outer);
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
    fn keys_and_texts_of_every_length_have_the_code_that_another_writer_of_hmac_gives_them() {
        use hmac::{Hmac, KeyInit, Mac};
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for key in (0..140).map(|length| &bytes[..length]) {
            let hasher = Hasher::hmac_sha256(key);
            let texts = [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 999].map(|length| &bytes[..length]);
            let side_by_side = hasher.digests(texts.into_iter());
            for (text, beside) in texts.into_iter().zip(side_by_side) {
                let expected = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap().chain_update(text).finalize();
                assert!(hasher.digest(&[text]).bytes[..] == expected.into_bytes()[..]);
                assert_eq!(hasher.digest(&[text]), beside);
            }
        }
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
