//! Making a policy: from code, from the environment, from files, each in its place.

use std::path::Path;
use std::sync::Arc;

use bytestring::ByteString;

use super::hashing::{self, Hashing};
use super::levels::{Levels, Origin};
use super::resolve::{Limit, Said, Sources};
use super::{InForce, MAX_ATTRIBUTE_BYTES, Policy, detectors, file, foreign, variables};
use crate::environment::{Environment, Setting, Warning, warn_once};
use crate::privacy::key::Key;
use crate::privacy::level::{Level, Strength};
use crate::privacy::payloads;
use crate::semconv::Field;

/// Builds a [`Policy`] from code. What the operator's ceiling forbids stays forbidden.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct PolicyBuilder {
    said: Said,
    hashing: Option<Hashing>,
    keeps_key: bool,
    placeholders: Option<bool>,
    preview_chars: Option<usize>,
}

impl PolicyBuilder {
    /// How much of content leaves, where [`class`](Self::class) says nothing else: a [`Level`], or a word for one. A word that
    /// is not understood means `none`.
    pub fn content(mut self, strength: impl Into<Strength>) -> Self {
        self.said.general(strength.into(), Origin::Code);
        self
    }

    /// How much leaves of one class of content.
    pub fn class(mut self, class: Field, strength: impl Into<Strength>) -> Self {
        self.said.class(class, strength.into(), Origin::Code);
        self
    }

    /// The most characters of a preview; never more than 4096 of a message and 1024 of a tool's arguments or result.
    pub fn preview_chars(mut self, chars: usize) -> Self {
        self.preview_chars = Some(chars);
        self
    }

    /// Whether previews are placeholders, `<redacted len=N>`, and no text.
    pub fn placeholders(mut self, placeholders: bool) -> Self {
        self.placeholders = Some(placeholders);
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

    /// Where nobody names a key: the one that is kept for this user, which is made the first time.
    ///
    /// It stands in `veilspan/hash.key` in `XDG_CONFIG_HOME`, or else in `.config` in `HOME`, readable by its owner alone.
    /// Where it can neither be read nor made, a key is made for the life of the process, as it is without this. Where
    /// `VEILSPAN_PAYLOADS` keeps content it is kept in any case: what is named by a digest is found by that key alone.
    pub fn keep_key(mut self) -> Self {
        self.keeps_key = true;
        self
    }

    /// The policy in force under this process' environment.
    pub fn build(self) -> Policy {
        let (policy, warnings) = self.build_in(&Environment::from_process());
        warn_once(&warnings);
        policy
    }

    /// The policy in force under `environment`, and what is wrong in that.
    ///
    /// Reads the files that the environment names, and `/etc/veilspan/policy.yaml`.
    pub fn build_in(self, environment: &Environment) -> (Policy, Vec<Warning>) {
        const ROOT: u32 = 0;
        self.build_under(environment, Path::new(file::OPERATOR), ROOT)
    }

    /// The same with another file in the operator's place, of another owner.
    pub(super) fn build_under(self, environment: &Environment, file: &Path, owner: u32) -> (Policy, Vec<Warning>) {
        let mut warnings = Vec::new();
        let said = [self.said, variables::content(environment, &mut warnings), file::named(environment, &mut warnings)];
        let mut limits = foreign::limits(environment, &mut warnings);
        let mut preview = variables::preview(environment, &mut limits, &mut warnings);
        preview.placeholder = self.placeholders.unwrap_or(preview.placeholder);
        preview.chars = self.preview_chars.unwrap_or(preview.chars);
        variables::unknown_names(environment, &mut limits, &mut warnings);
        let ceiling = ceiling(environment, file, owner, &mut limits, &mut warnings);
        let detectors = detectors::detectors(environment, &mut warnings);
        let sources = Sources { said, limits, has_detectors: detectors.is_some() };
        let classes = sources.classes();
        let levels = Levels::from_classes(&classes);
        let mut hashing = self.hashing.unwrap_or_else(|| hashing::hashing(environment, &mut warnings));
        if levels.most() == Level::None {
            // Labels that do not look like one are digested too, unless nobody wants any digest.
            hashing = Hashing::None;
        }
        // A reference to a payload is worth nothing without the key that it was made with.
        let wants_kept = self.keeps_key || payloads::asked_for(environment, &levels);
        let is_unnamed = matches!(hashing, Hashing::Hmac(None));
        if is_unnamed && wants_kept {
            hashing = Hashing::Hmac(Key::kept(environment, &mut warnings));
        }
        let key_is_kept = is_unnamed && hashing.lasts();
        let payloads = payloads::from_environment(environment, &levels, hashing.lasts(), &mut warnings);
        let attribute_bytes = variables::attribute_bytes(environment, &mut warnings).min(MAX_ATTRIBUTE_BYTES);
        let in_force = InForce {
            general: sources.general(),
            classes,
            levels,
            ceiling,
            preview,
            attribute_bytes,
            payloads,
            detectors,
            hasher: None,
            key_id: None,
            key_is_kept,
            hash: "none",
            snapshot: ByteString::new(),
        };
        (Policy(Arc::new(in_force.with_hashing(hashing))), warnings)
    }
}

/// Sets the operator's ceilings as limits, and tells the one over everything.
fn ceiling(
    environment: &Environment,
    file: &Path,
    owner: u32,
    limits: &mut Vec<Limit>,
    warnings: &mut Vec<Warning>,
) -> (Level, Origin) {
    const NAME: &str = "VEILSPAN_CONTENT_MAX";
    let is_set = environment.get(NAME) != Setting::Unset;
    let origin = if is_set { Origin::Variable(NAME) } else { Origin::Default };
    let level = variables::ceiling(environment, warnings);
    limits.extend(Limit::of_all(level, Origin::Variable(NAME)));
    let operators = file::operators(file, owner, warnings).into_limits();
    let lower = operators.iter().find(|limit| limit.class.is_none() && limit.level < level);
    let ceiling = lower.map_or((level, origin), |limit| (limit.level, limit.origin));
    limits.extend(operators);
    ceiling
}
