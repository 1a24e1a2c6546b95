//! The policy in force: a level, and how digests are made.

use std::fmt;
use std::sync::Arc;

use bytestring::ByteString;

use super::c1::{self, Hasher};
use super::key::{Key, KeyError};
use super::label::is_label;
use super::level::Level;
use crate::environment::{Environment, Setting, Warning, warn_once};
use crate::event::{Algorithm, Digest};

/// What may leave, decided once and shared by every exit. Cheap to clone.
#[derive(Clone)]
pub struct Policy(Arc<InForce>);

struct InForce {
    level: Level,
    ceiling: Level,
    hasher: Option<Hasher>,
    key_id: Option<String>,
    snapshot: ByteString,
}

/// How digests are made, by choice of the caller.
#[derive(Clone, Debug)]
enum Hashing {
    Hmac(Option<Key>),
    Sha256,
    None,
}

/// Builds a [`Policy`] from code. What the environment's ceiling forbids stays forbidden.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct PolicyBuilder {
    level: Option<Level>,
    hashing: Option<Hashing>,
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

    /// How much of content leaves.
    pub fn level(&self) -> Level {
        self.0.level
    }

    /// The operator's ceiling over it.
    pub fn ceiling(&self) -> Level {
        self.0.ceiling
    }

    /// How digests are made, if any may leave.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.0.hasher.as_ref().map(Hasher::algorithm)
    }

    /// The name of the key of digests.
    pub fn key_id(&self) -> Option<&str> {
        self.0.key_id.as_deref()
    }

    /// The policy as it stands on every span (`veilspan.policy`).
    pub fn snapshot(&self) -> &ByteString {
        &self.0.snapshot
    }

    /// A label that belongs to no call, such as a resource's: as it is where it looks like one, else as its digest.
    pub fn label(&self, text: &str) -> ByteString {
        if is_label(text) { text.into() } else { replaced_label(self.hasher(), text) }
    }

    /// The function D of form `c1`, where digests may leave at all.
    pub(crate) fn hasher(&self) -> Option<&Hasher> {
        self.0.hasher.as_ref()
    }

    fn new(level: Level, ceiling: Level, hashing: &Hashing) -> Result<Self, KeyError> {
        let (hasher, key_id, hash) = match hashing {
            Hashing::None => (None, None, "none"),
            Hashing::Sha256 => (Some(Hasher::sha256()), None, Algorithm::Sha256.as_str()),
            Hashing::Hmac(key) => {
                let made;
                let key = match key {
                    Some(key) => key,
                    None => {
                        made = Key::ephemeral()?;
                        &made
                    }
                };
                (Some(key.hasher()), Some(key.id().to_owned()), Algorithm::HmacSha256.as_str())
            }
        };
        let mut snapshot = format!("content={level};hash={hash};form=c1");
        if let Some(id) = &key_id {
            snapshot.push_str(";key=");
            snapshot.push_str(id);
        }
        Ok(Self(Arc::new(InForce { level, ceiling, hasher, key_id, snapshot: snapshot.into() })))
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Policy").field(&self.0.snapshot).finish()
    }
}

impl PolicyBuilder {
    /// How much of content leaves; the environment's `VEILSPAN_CONTENT_MAX` stays above it.
    pub fn content(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Digests keyed with this key.
    pub fn key(mut self, key: Key) -> Self {
        self.hashing = Some(Hashing::Hmac(Some(key)));
        self
    }

    /// Digests without a key: short texts can be guessed from them.
    pub fn unkeyed_sha256(mut self) -> Self {
        self.hashing = Some(Hashing::Sha256);
        self
    }

    /// No digests at all.
    pub fn no_digests(mut self) -> Self {
        self.hashing = Some(Hashing::None);
        self
    }

    /// The policy in force under this process' environment.
    pub fn build(self) -> Policy {
        let (policy, warnings) = self.build_in(&Environment::from_process());
        warn_once(&warnings);
        policy
    }

    /// The policy in force under `environment`, and what is wrong in that.
    pub fn build_in(self, environment: &Environment) -> (Policy, Vec<Warning>) {
        let mut warnings = Vec::new();
        let wanted = match self.level {
            Some(level) => level,
            None => level_of(environment, "VEILSPAN_CONTENT", Level::Digest, &mut warnings),
        };
        let ceiling = level_of(environment, "VEILSPAN_CONTENT_MAX", Level::Masked, &mut warnings);
        let mut level = wanted.min(ceiling);
        if wanted > Level::IMPLEMENTED && level > Level::IMPLEMENTED {
            let message = "this version lets digests and lengths leave, no text; taken for `digest`";
            warnings.push(Warning::new("VEILSPAN_CONTENT", wanted.as_str(), message));
            level = Level::IMPLEMENTED;
        }
        let mut hashing = self.hashing.unwrap_or_else(|| hashing_of(environment, &mut warnings));
        if unknown_names(environment, &mut warnings) {
            level = Level::None;
        }
        if level == Level::None {
            // Labels that do not look like one are digested too, unless nobody wants any digest.
            hashing = Hashing::None;
        }
        let policy = Policy::new(level, ceiling, &hashing).or_else(|_| Policy::new(level, ceiling, &Hashing::None));
        (policy.unwrap_or_else(|_| Policy::nothing()), warnings)
    }
}

impl Policy {
    fn nothing() -> Self {
        let snapshot = ByteString::from_static("content=none;hash=none;form=c1");
        Self(Arc::new(InForce { level: Level::None, ceiling: Level::None, hasher: None, key_id: None, snapshot }))
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

fn level_of(environment: &Environment, name: &'static str, default: Level, warnings: &mut Vec<Warning>) -> Level {
    const UNKNOWN: &str =
        "not one of `none`, `digest`, `preview`, `masked`, `full`; taken for `none`, the most private of them";
    let value = match environment.get(name) {
        Setting::Unset => return default,
        Setting::Set(value) => value,
        Setting::NotUnicode => "",
    };
    Level::from_word(value).unwrap_or_else(|| {
        warnings.push(Warning::new(name, value, UNKNOWN));
        Level::None
    })
}

fn hashing_of(environment: &Environment, warnings: &mut Vec<Warning>) -> Hashing {
    const NAME: &str = "VEILSPAN_HASH";
    const UNKNOWN: &str = "not one of `hmac-sha256`, `sha256`, `none`; no digests leave";
    let word = match environment.get(NAME) {
        Setting::Unset => "hmac-sha256".to_owned(),
        Setting::Set(value) => value.trim().to_ascii_lowercase(),
        Setting::NotUnicode => String::new(),
    };
    match word.as_str() {
        "hmac-sha256" => match Key::from_environment(environment, warnings) {
            Ok(key) => Hashing::Hmac(key),
            Err(warning) => {
                warnings.push(warning);
                Hashing::None
            }
        },
        "sha256" => Hashing::Sha256,
        "none" => Hashing::None,
        _ => {
            warnings.push(Warning::new(NAME, &word, UNKNOWN));
            Hashing::None
        }
    }
}

/// Warns of unknown names, and tells whether one of them could have been meant to make the policy stricter.
fn unknown_names(environment: &Environment, warnings: &mut Vec<Warning>) -> bool {
    const PRIVATE: [&str; 5] =
        ["VEILSPAN_CONTENT", "VEILSPAN_HASH", "VEILSPAN_PREVIEW", "VEILSPAN_DETECTORS", "VEILSPAN_POLICY"];
    let mut stricter = false;
    for name in environment.unknown_names() {
        if PRIVATE.iter().any(|prefix| name.starts_with(prefix)) {
            stricter = true;
            warnings.push(Warning::new(
                name,
                "",
                "not a variable of this version; taken to mean `VEILSPAN_CONTENT=none`",
            ));
        } else {
            warnings.push(Warning::new(name, "", "not a variable of this version; ignored"));
        }
    }
    stricter
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under(variables: &[(&str, &str)]) -> (Policy, Vec<Warning>) {
        Policy::builder().build_in(&variables.iter().copied().collect())
    }

    fn level(value: &str) -> Level {
        under(&[("VEILSPAN_CONTENT", value)]).0.level()
    }

    #[test]
    fn unset_is_keyed_digests_with_an_ephemeral_key() {
        let (policy, warnings) = under(&[]);
        assert_eq!(policy.level(), Level::Digest);
        assert_eq!(policy.algorithm(), Some(Algorithm::HmacSha256));
        assert!(policy.key_id().unwrap().starts_with("ephemeral-"));
        assert!(policy.snapshot().starts_with("content=digest;hash=hmac-sha256;form=c1;key=ephemeral-"));
        assert!(super::super::label::is_policy(policy.snapshot()));
        assert!(warnings.is_empty());
    }

    #[test]
    fn r22_env_parsing() {
        for digest in [" OFF ", "REDACTED", "digest", "Digest\n"] {
            assert_eq!(level(digest), Level::Digest, "{digest}");
        }
        for none in ["", " ", "1", "true", "0", "false", "of", "none", " NONE "] {
            assert_eq!(level(none), Level::None, "{none}");
        }
        assert_eq!(under(&[("VEILSPAN_CONTENT", "of")]).1.len(), 1);
        assert!(under(&[("VEILSPAN_CONTENT", "none")]).1.is_empty());
    }

    #[test]
    fn stronger_levels_mean_digest_with_one_warning_until_text_can_leave_safely() {
        for stronger in ["preview", "on", "masked", "full"] {
            let (policy, warnings) = under(&[("VEILSPAN_CONTENT", stronger)]);
            assert_eq!(policy.level(), Level::Digest);
            assert_eq!(warnings.len(), 1, "{stronger}");
        }
    }

    #[test]
    fn the_operators_ceiling_stands_over_code_and_environment() {
        let none = [("VEILSPAN_CONTENT_MAX", "none"), ("VEILSPAN_CONTENT", "digest")].into_iter().collect();
        let (policy, _) = Policy::builder().content(Level::Digest).build_in(&none);
        assert_eq!(policy.level(), Level::None);
        assert_eq!(under(&[("VEILSPAN_CONTENT_MAX", "digset")]).0.level(), Level::None);
        let (policy, _) = Policy::builder().content(Level::None).build_in(&Environment::default());
        assert_eq!(policy.level(), Level::None);
    }

    #[test]
    fn r25_a_misspelt_name_of_a_privacy_variable_means_none() {
        for name in ["VEILSPAN_CONTENTS", "VEILSPAN_CONTENT_PROMPTS", "VEILSPAN_HASHKEY", "VEILSPAN_DETECTORS"] {
            let (policy, warnings) = under(&[(name, "digest")]);
            assert_eq!(policy.level(), Level::None, "{name}");
            assert_eq!(warnings.len(), 1);
        }
        let (policy, warnings) = under(&[("VEILSPAN_SPOOOL", "x")]);
        assert_eq!((policy.level(), warnings.len()), (Level::Digest, 1));
    }

    #[test]
    fn a_key_that_cannot_be_used_means_no_digests_and_never_another_algorithm() {
        let short = [("VEILSPAN_HASH_KEY", "short")];
        let empty = [("VEILSPAN_HASH_KEY", "")];
        let missing = [("VEILSPAN_HASH_KEY_FILE", "/nonexistent/key")];
        for variables in [short, empty, missing] {
            let (policy, warnings) = under(&variables);
            assert_eq!(policy.algorithm(), None);
            assert_eq!(policy.snapshot(), "content=digest;hash=none;form=c1");
            assert_eq!(warnings.len(), 1);
        }
    }

    #[test]
    fn an_unknown_algorithm_means_no_digests() {
        let (policy, warnings) = under(&[("VEILSPAN_HASH", "md5")]);
        assert_eq!((policy.algorithm(), warnings.len()), (None, 1));
        assert_eq!(under(&[("VEILSPAN_HASH", " SHA256 ")]).0.algorithm(), Some(Algorithm::Sha256));
    }

    #[test]
    fn a_key_has_the_id_it_was_given_or_one_made_from_it() {
        let key = "k".repeat(32);
        let (policy, _) = under(&[("VEILSPAN_HASH_KEY", &key), ("VEILSPAN_HASH_KEY_ID", "prod-1")]);
        assert_eq!(policy.key_id(), Some("prod-1"));
        let (policy, _) = under(&[("VEILSPAN_HASH_KEY", &key)]);
        assert_eq!(policy.key_id().map(str::len), Some(8));
        assert!(!format!("{policy:?}").contains(&key));
    }
}
