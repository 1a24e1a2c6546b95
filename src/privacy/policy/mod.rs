//! The policy in force: levels, and how digests, previews and masked texts are made.

mod builder;
mod detectors;
mod file;
mod foreign;
mod hashing;
mod levels;
mod resolve;
mod snapshot;
mod variables;

use std::fmt;
use std::sync::Arc;

use bytestring::ByteString;

use super::c1::{self, Hasher};
use super::detect::Detectors;
use super::key::Key;
use super::label::is_safe_label;
use super::level::Level;
use super::payloads::{MAX_BYTES as MAX_PAYLOAD_BYTES, PayloadCounts, Payloads};
use super::preview::PreviewRule;
use crate::event::{Algorithm, Digest};
use crate::semconv::Field;
use hashing::Hashing;
#[cfg(unix)]
pub(super) use hashing::lasting_hasher;

pub use builder::PolicyBuilder;
pub use levels::{ClassLevel, Levels, Origin};
pub(crate) use snapshot::levels_told;

/// The most bytes of one attribute with content, where nobody says otherwise.
const DEFAULT_ATTRIBUTE_BYTES: usize = 64 << 10;
/// Nobody can ask for more: the attributes of one span have to fit into one request.
const MAX_ATTRIBUTE_BYTES: usize = 256 << 10;

/// What may leave, decided once and shared by every exit. Cheap to clone.
#[derive(Clone)]
pub struct Policy(Arc<InForce>);

#[derive(Clone)]
struct InForce {
    /// The level of everything that has none of its own, and what decided it.
    general: (Level, Origin),
    classes: [ClassLevel; Field::ALL.len()],
    levels: Levels,
    ceiling: (Level, Origin),
    preview: PreviewRule,
    attribute_bytes: usize,
    payloads: Option<Payloads>,
    detectors: Option<Detectors>,
    hasher: Option<Hasher>,
    key_id: Option<String>,
    /// Nobody named the key: it is the one that is kept for the user.
    key_is_kept: bool,
    /// The name of the algorithm, or `none`.
    hash: &'static str,
    snapshot: ByteString,
}

impl Policy {
    /// The policy that this process' environment asks for. What is wrong in it is logged once, and means `none`.
    pub fn from_env() -> Self {
        Self::builder().build()
    }

    /// A policy by code, under the environment's ceiling.
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder::default()
    }

    /// How much of content leaves where its class has no level of its own.
    pub fn level(&self) -> Level {
        self.0.general.0
    }

    /// What decided [`level`](Self::level).
    pub fn level_origin(&self) -> Origin {
        self.0.general.1
    }

    /// For each class of content the level in force, and what decided it.
    pub fn classes(&self) -> &[ClassLevel; Field::ALL.len()] {
        &self.0.classes
    }

    /// The level of each class.
    pub fn levels(&self) -> &Levels {
        &self.0.levels
    }

    /// The operator's ceiling over all levels, and what decided it.
    pub fn ceiling(&self) -> (Level, Origin) {
        self.0.ceiling
    }

    /// The most characters of a preview of a message; of a tool's arguments and results at the most 1024.
    pub fn preview_chars(&self) -> usize {
        self.0.preview.of_messages()
    }

    /// Whether a placeholder with the length stands in the place of each preview.
    pub fn has_placeholders(&self) -> bool {
        self.0.preview.placeholder
    }

    /// How many rules look for what must not be in text that leaves; nothing without detectors.
    pub fn detector_rules(&self) -> Option<usize> {
        self.0.detectors.as_ref().map(|detectors| detectors.rules().count())
    }

    /// The most bytes of one attribute with content.
    pub fn attribute_bytes(&self) -> usize {
        self.0.attribute_bytes
    }

    /// What became of content that was too long for its attribute: of all payloads that this process has written into the
    /// folder of `VEILSPAN_PAYLOADS`, under whatever policy.
    pub fn payload_counts(&self) -> PayloadCounts {
        self.payloads().map_or_else(PayloadCounts::default, Payloads::counts)
    }

    /// Where content is kept that is too long for an attribute.
    pub(crate) fn payloads(&self) -> Option<&Payloads> {
        self.0.payloads.as_ref()
    }

    /// How digests are made, if any may leave.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.0.hasher.as_ref().map(Hasher::algorithm)
    }

    /// The name of the key of digests.
    pub fn key_id(&self) -> Option<&str> {
        self.0.key_id.as_deref()
    }

    /// Whether the key of digests is the one that is kept for this user, and not one that somebody named.
    pub fn has_kept_key(&self) -> bool {
        self.0.key_is_kept
    }

    /// The policy as it stands on every span (`veilspan.policy`).
    pub fn snapshot(&self) -> &ByteString {
        &self.0.snapshot
    }

    /// A label that belongs to no call, such as a resource's: as it is where it looks like one, else as its digest.
    pub fn label(&self, text: &str) -> ByteString {
        if is_safe_label(self.detectors(), text) { text.into() } else { replaced_label(self.hasher(), text) }
    }

    /// The function D of form `c1`, where digests may leave at all.
    pub(crate) fn hasher(&self) -> Option<&Hasher> {
        self.0.hasher.as_ref()
    }

    /// How previews are made.
    pub(in crate::privacy) fn preview(&self) -> PreviewRule {
        self.0.preview
    }

    /// What makes text safe. Where a level above `digest` and below `full` is in force there are some.
    pub(crate) fn detectors(&self) -> Option<&Detectors> {
        self.0.detectors.as_ref()
    }

    /// This policy for somebody who reads and hands nothing on as spans: whole content is not cut to an attribute's length,
    /// and nothing is written into the folder of payloads.
    pub(crate) fn for_reading(&self) -> Self {
        let mut reading = InForce::clone(&self.0);
        (reading.attribute_bytes, reading.payloads) = (MAX_PAYLOAD_BYTES, None);
        Self(Arc::new(reading))
    }

    /// Whether they are one and the same, and not only alike.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// This policy, but with no level above that of another: what holds for a call that opened under this one once the
    /// other has come.
    pub(crate) fn lowered_to(&self, other: &Self) -> Self {
        let levels = self.0.levels.meet(&other.0.levels);
        if levels == self.0.levels {
            return self.clone();
        }
        let mut lowered = InForce::clone(&self.0);
        lowered.levels = levels;
        lowered.general.0 = lowered.general.0.min(other.level());
        for class in &mut lowered.classes {
            if levels.of(class.class) < class.level {
                (class.level, class.origin, class.placeholder) = (levels.of(class.class), Origin::Code, false);
            }
        }
        if levels.most() == Level::None {
            (lowered.hasher, lowered.key_id, lowered.hash) = (None, None, "none");
        }
        lowered.snapshot = lowered.told();
        Self(Arc::new(lowered))
    }
}

impl InForce {
    /// The same with digests; without any where there are no random numbers to make a key of.
    fn with_hashing(mut self, hashing: Hashing) -> Self {
        let key = match hashing {
            Hashing::Hmac(ref key) => key.clone().or_else(|| Key::ephemeral().ok()),
            Hashing::Sha256 | Hashing::None => None,
        };
        if let Some(key) = key {
            self.hasher = Some(key.hasher());
            self.key_id = Some(key.id().to_owned());
            self.hash = Algorithm::HmacSha256.as_str();
        } else if matches!(hashing, Hashing::Sha256) {
            self.hasher = Some(Hasher::sha256());
            self.hash = Algorithm::Sha256.as_str();
        }
        self.snapshot = self.told();
        self
    }

    /// The snapshot.
    fn told(&self) -> ByteString {
        snapshot::write(self.general.0, self.hash, self.key_id.as_deref(), &self.classes)
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Policy").field(&self.0.snapshot).finish()
    }
}

/// What stands for a label that does not look like one.
pub(crate) fn replaced_label(hasher: Option<&Hasher>, text: &str) -> ByteString {
    let Some(hasher) = hasher else { return OTHER };
    let mut replaced = String::with_capacity("id:".len() + Digest::MAX_CHARS);
    replaced.push_str("id:");
    c1::digest::text(hasher, text).write_to(&mut replaced);
    replaced.into()
}

/// What stands for a reason that does not look like a label, and for a label where no digest may leave.
pub(crate) const OTHER: ByteString = ByteString::from_static("_OTHER");

#[cfg(test)]
mod tests;
