//! How digests are made, as the environment says.

use super::super::key::Key;
use crate::environment::{Environment, Setting, Warning};

/// How digests are made.
#[derive(Clone, Debug)]
pub(super) enum Hashing {
    /// Without a key, one is found or made.
    Hmac(Option<Key>),
    Sha256,
    None,
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
