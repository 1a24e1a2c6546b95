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
    let unseen: Vec<&Warning> = {
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.get_or_insert_default();
        let mut is_new =
            |warning: &Warning| seen.insert((warning.variable.clone(), warning.message.clone(), warning.fingerprint));
        warnings.iter().filter(|warning| is_new(warning)).collect()
    };
    // The host's own code may run here, and come back with warnings of its own.
    for warning in &unseen {
        tracing::warn!(target: "veilspan", variable = %warning.variable, "{}", warning.message);
    }
    unseen.len()
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

    #[test]
    fn whoever_hears_a_warning_may_have_another() {
        struct Host;
        impl tracing::Subscriber for Host {
            fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
                true
            }
            fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
                tracing::span::Id::from_u64(1)
            }
            fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
            fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
            fn event(&self, _: &tracing::Event<'_>) {
                warn_once(&[Warning::new("VEILSPAN_TEST_OF_A_HOST", "inner", "odd")]);
            }
            fn enter(&self, _: &tracing::span::Id) {}
            fn exit(&self, _: &tracing::span::Id) {}
        }
        let outer = [Warning::new("VEILSPAN_TEST_OF_A_HOST", "outer", "odd")];
        assert_eq!(tracing::subscriber::with_default(Host, || warn_once(&outer)), 1);
    }
}
