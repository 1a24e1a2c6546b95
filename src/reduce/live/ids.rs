//! Ids of spans of our own making: hashes of what they stand for, so that two stages that see the same say the same.
//!
//! Texts are framed by their length as a u32, an absent one by 2^32-1 alone; integers are big-endian.

use sha2::{Digest as _, Sha256};

use crate::event::{SpanId, TraceId};
use crate::reduce::facts::RolloutKey;

/// The span of a turn that nobody reported. Nothing in the case, which no one will see, that the hash is all zero.
pub(super) fn turn_span(key: &RolloutKey, thread: &str, turn: &str) -> Option<SpanId> {
    let mut hash = Sha256::new_with_prefix(b"veilspan/span/1\0");
    frame(&mut hash, key.tenant.as_deref());
    for text in [&*key.rollout, thread, turn] {
        frame(&mut hash, Some(text));
    }
    SpanId::from_bytes(head(hash)?)
}

/// The trace of a rollout's summaries.
pub(super) fn summary_trace(key: &RolloutKey, generation: u64) -> Option<TraceId> {
    TraceId::from_bytes(head(rollout(key, generation))?)
}

/// The span of one revision of a rollout's summary.
pub(super) fn summary_span(key: &RolloutKey, generation: u64, revision: u64) -> Option<SpanId> {
    SpanId::from_bytes(head(rollout(key, generation).chain_update(revision.to_be_bytes()))?)
}

fn rollout(key: &RolloutKey, generation: u64) -> Sha256 {
    let mut hash = Sha256::new_with_prefix(b"veilspan/rollout/1\0");
    frame(&mut hash, key.tenant.as_deref());
    frame(&mut hash, Some(&key.rollout));
    hash.chain_update(generation.to_be_bytes())
}

fn frame(hash: &mut Sha256, text: Option<&str>) {
    // No text of a scope is longer: a request is bounded far below.
    let length = text.map_or(u32::MAX, |text| u32::try_from(text.len()).unwrap_or(u32::MAX - 1));
    hash.update(length.to_be_bytes());
    hash.update(text.unwrap_or_default());
}

fn head<const N: usize>(hash: Sha256) -> Option<[u8; N]> {
    hash.finalize().as_slice().first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use bytestring::ByteString;

    use super::*;

    fn key(tenant: Option<&'static str>) -> RolloutKey {
        RolloutKey { tenant: tenant.map(ByteString::from_static), rollout: ByteString::from_static("r") }
    }

    #[test]
    fn a_turns_span_is_the_head_of_the_hash_of_its_framed_path() {
        let mut bytes = b"veilspan/span/1\0".to_vec();
        for text in ["t", "r", "th", "tu"] {
            bytes.extend((text.len() as u32).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        let expected = Sha256::digest(&bytes);
        assert_eq!(turn_span(&key(Some("t")), "th", "tu").unwrap().as_bytes(), &expected[..8]);
    }

    #[test]
    fn no_tenant_is_another_than_the_empty_one() {
        let mut bytes = b"veilspan/rollout/1\0".to_vec();
        bytes.extend(u32::MAX.to_be_bytes());
        bytes.extend([0, 0, 0, 1, b'r']);
        bytes.extend(7u64.to_be_bytes());
        assert_eq!(summary_trace(&key(None), 7).unwrap().as_bytes(), &Sha256::digest(&bytes)[..16]);
        bytes.extend(2u64.to_be_bytes());
        assert_eq!(summary_span(&key(None), 7, 2).unwrap().as_bytes(), &Sha256::digest(&bytes)[..8]);
        assert_ne!(summary_trace(&key(None), 7), summary_trace(&key(Some("")), 7));
    }
}
