//! The process' environment, read once.
//!
//! Promises that every variable that is read stands in one array, [`VARIABLES`], that a value is never printed, and that
//! one wrong value is warned of once. What a value means is left to the room it speaks to.

mod not_read;
mod pairs;
mod variables;
mod warning;

use std::collections::BTreeMap;
use std::ffi::OsString;

use zeroize::Zeroize;

pub use not_read::NOT_READ;
pub(crate) use pairs::pairs;
pub use variables::{VARIABLES, Variable};
pub use warning::{Warning, warn_once};

/// A snapshot of the variables that this crate knows, and of the names of others that begin with `VEILSPAN_`.
///
/// Has no `Debug` of its values, and wipes them when dropped.
#[derive(Default)]
pub struct Environment {
    values: BTreeMap<String, Reading>,
}

enum Reading {
    Text(String),
    NotUnicode,
}

/// What stands in a variable.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(missing_debug_implementations)]
pub enum Setting<'a> {
    /// It is not set.
    Unset,
    /// It is set to this text, which may be empty.
    Set(&'a str),
    /// It is set to something that is not Unicode.
    NotUnicode,
}

impl Environment {
    /// The environment of this process, as it is now.
    #[allow(clippy::disallowed_methods)]
    pub fn from_process() -> Self {
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect()
    }

    /// What stands in the variable `name`.
    pub fn get(&self, name: &str) -> Setting<'_> {
        match self.values.get(name) {
            None => Setting::Unset,
            Some(Reading::Text(text)) => Setting::Set(text),
            Some(Reading::NotUnicode) => Setting::NotUnicode,
        }
    }

    /// The text in `name`, trimmed, with the empty text taken for unset: the rule for OpenTelemetry's own variables.
    pub fn otel(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Setting::Set(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Setting::Unset | Setting::NotUnicode => None,
        }
    }

    /// The names that begin with `VEILSPAN_` and are not ours.
    pub fn unknown_names(&self) -> impl Iterator<Item = &str> {
        let known = |name: &str| VARIABLES.iter().any(|variable| variable.name == name);
        self.values.keys().map(String::as_str).filter(move |name| name.starts_with("VEILSPAN_") && !known(name))
    }
}

impl FromIterator<(String, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, OsString)>>(variables: I) -> Self {
        let ours = |name: &str| name.starts_with("VEILSPAN_") || VARIABLES.iter().any(|known| known.name == name);
        let values = variables
            .into_iter()
            .filter(|(name, _)| ours(name))
            .map(|(name, value)| (name, value.into_string().map_or(Reading::NotUnicode, Reading::Text)))
            .collect();
        Self { values }
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Environment {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(variables: I) -> Self {
        variables.into_iter().map(|(name, value)| (name.to_owned(), OsString::from(value))).collect()
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        for reading in self.values.values_mut() {
            if let Reading::Text(text) = reading {
                text.zeroize();
            }
        }
    }
}

/// The value of a variable that a configuration file names, of whatever name. A value that is not Unicode counts as unset.
#[allow(clippy::disallowed_methods)]
pub fn named_in_a_file(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_variables_are_kept_and_no_value_is_printed() {
        let environment: Environment =
            [("PATH", "/canary"), ("VEILSPAN_HASH_KEY", "canary"), ("VEILSPAN_TYPO", "canary")].into_iter().collect();
        assert!(environment.get("PATH") == Setting::Unset);
        assert!(environment.get("VEILSPAN_HASH_KEY") == Setting::Set("canary"));
        assert_eq!(environment.unknown_names().collect::<Vec<_>>(), ["VEILSPAN_TYPO"]);
        assert!(!format!("{environment:?}").contains("canary"));
    }
}
