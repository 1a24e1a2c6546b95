//! How digests are made, as the environment says.

use crate::environment::{Environment, Setting, Warning};
#[cfg(unix)]
use crate::privacy::c1::Hasher;
use crate::privacy::key::Key;

/// How digests are made.
#[derive(Clone, Debug)]
pub(super) enum Hashing {
    /// Without a key, one is found or made.
    Hmac(Option<Key>),
    Sha256,
    None,
}

/// The function D that this environment gives every process of this user; nothing where there is none, or none that lasts.
#[cfg(unix)]
pub(in crate::privacy) fn lasting_hasher(environment: &Environment) -> Option<Hasher> {
    // Said by whoever made what is compared with.
    let mut warnings = Vec::new();
    match hashing(environment, &mut warnings) {
        Hashing::Hmac(key) => Some(key.or_else(|| Key::kept(environment, &mut warnings))?.hasher()),
        Hashing::Sha256 => Some(Hasher::sha256()),
        Hashing::None => None,
    }
}

impl Hashing {
    /// Whether there are digests that compare with those of other processes.
    pub(super) const fn lasts(&self) -> bool {
        matches!(self, Self::Hmac(Some(_)) | Self::Sha256)
    }
}

pub(super) fn hashing(environment: &Environment, warnings: &mut Vec<Warning>) -> Hashing {
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
