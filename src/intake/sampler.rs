//! Which agent runs are recorded at all.

use std::fmt;

use sha2::{Digest, Sha256};

/// Decides by the id of a rollout, so that an agent run is recorded whole or not at all, by every process that takes part.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sampler(Share);

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Share {
    #[default]
    All,
    None,
    /// Ids whose hash is below this.
    Below(u64),
}

impl Sampler {
    /// Every rollout.
    pub const ALL: Self = Self(Share::All);
    /// None.
    pub const NONE: Self = Self(Share::None);

    /// This share of rollouts, from 0 to 1. Nothing for what is no share.
    pub fn ratio(share: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&share) {
            return None;
        }
        // The product is at most 2^64, which saturates.
        let below = (share * 2f64.powi(64)) as u64;
        Some(Self(if share >= 1.0 { Share::All } else { Share::Below(below) }))
    }

    /// Whether the rollout of this id is recorded.
    pub fn samples(&self, rollout: &str) -> bool {
        match self.0 {
            Share::All => true,
            Share::None => false,
            Share::Below(below) => hash(rollout) < below,
        }
    }
}

impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Share::All => f.write_str("all"),
            Share::None => f.write_str("none"),
            Share::Below(below) => write!(f, "{}", below as f64 / 2f64.powi(64)),
        }
    }
}

/// The first eight bytes of SHA-256: the same in every process and version.
fn hash(rollout: &str) -> u64 {
    let digest = Sha256::digest(rollout.as_bytes());
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_rollouts_is_sampled_and_the_same_ones_each_time() {
        let sampler = Sampler::ratio(0.25).unwrap();
        let sampled = || (0..4000).filter(|n| sampler.samples(&format!("rollout-{n}"))).collect::<Vec<_>>();
        assert!((800..1200).contains(&sampled().len()));
        assert_eq!(sampled(), sampled());
        assert!(Sampler::ratio(1.0).unwrap().samples("x") && !Sampler::ratio(0.0).unwrap().samples("x"));
        for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Sampler::ratio(wrong), None);
        }
    }
}
