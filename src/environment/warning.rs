//! Warnings about variables: each once, without their values.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

/// Something wrong with a variable, or with a file that one names. Says what to do, and never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The variable, or the file that stands above all of them.
    pub variable: String,
    /// What is wrong, what is done about it, and what would be right.
    pub message: Cow<'static, str>,
    /// Tells this value from other values of the same variable.
    fingerprint: u64,
}

impl Warning {
    /// A warning about `variable`, which holds `value`.
    pub fn new(variable: &str, value: &str, message: impl Into<Cow<'static, str>>) -> Self {
        let mut hasher = DefaultHasher::new();
        value.trim().to_lowercase().hash(&mut hasher);
        Self { variable: variable.to_owned(), message: message.into(), fingerprint: hasher.finish() }
    }
}

/// Logs the warnings that this process has not logged yet, and answers how many those were.
pub fn warn_once(warnings: &[Warning]) -> usize {
    type Seen = HashSet<(String, Cow<'static, str>, u64)>;
    static SEEN: Mutex<Option<Seen>> = Mutex::new(None);
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let seen = seen.get_or_insert_default();
    let mut logged = 0;
    for warning in warnings {
        if seen.insert((warning.variable.clone(), warning.message.clone(), warning.fingerprint)) {
            tracing::warn!(target: "veilspan", variable = %warning.variable, "{}", warning.message);
            logged += 1;
        }
    }
    logged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_warned_of_once_whatever_its_blanks_and_case() {
        let name = "VEILSPAN_TEST_OF_WARNINGS";
        let warnings: Vec<_> = [" noisy ", " noisy ", "NOISY"].map(|value| Warning::new(name, value, "odd")).into();
        assert_eq!(warn_once(&warnings), 1);
        assert_eq!(warn_once(&[Warning::new(name, "other", "odd")]), 1);
    }
}
