//! What an operator reads when recording begins: what is wrong in the environment, and one line of what is in force.

use std::fmt;

use super::config::{ExporterConfig, ExporterError};
use crate::environment::{Warning, warn_once};
use crate::event::Algorithm;
use crate::privacy::{Level, Policy};

/// Not told yet: where a layer is made there is no subscriber that could hear it.
pub(crate) struct Startup {
    warnings: Vec<Warning>,
    state: State,
}

enum State {
    Sending { doing: &'static str, policy: Policy, endpoint: String, way: String },
    SwitchedOff,
    Failed(String),
}

impl Startup {
    /// Calls will be recorded, and sent as spans.
    pub(super) fn recording(config: &ExporterConfig, policy: &Policy) -> Self {
        Self::sending("recording", config, policy)
    }

    /// Spans of somebody else's will be veiled and sent.
    #[cfg(feature = "sdk")]
    pub(crate) fn redacting(config: &ExporterConfig, policy: &Policy) -> Self {
        Self::sending("redacting", config, policy)
    }

    fn sending(doing: &'static str, config: &ExporterConfig, policy: &Policy) -> Self {
        let secured = if config.is_secure() { ", with tls" } else { "" };
        let way = format!("over {}{secured}", config.protocol);
        Self::new(State::Sending { doing, policy: policy.clone(), endpoint: config.address(), way })
    }

    /// The environment wants nothing recorded.
    pub(crate) fn switched_off() -> Self {
        Self::new(State::SwitchedOff)
    }

    /// Nothing can be sent.
    pub(super) fn failed(error: &ExporterError) -> Self {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
        Self::new(State::Failed(format!("{error}{cause}")))
    }

    fn new(state: State) -> Self {
        Self { warnings: Vec::new(), state }
    }

    /// With what is wrong in the environment.
    pub(crate) fn warning(mut self, warnings: Vec<Warning>) -> Self {
        self.warnings = warnings;
        self
    }

    /// Logs it.
    pub(crate) fn tell(self) {
        warn_once(&self.warnings);
        match self.state {
            State::Sending { doing, policy, endpoint, way } => {
                let key = policy.key_id().unwrap_or("none");
                let (content, digests) = (Content(&policy), Digests(&policy));
                let kept = match policy.payloads() {
                    Some(_) => "; what is too long for a span is kept in the folder of VEILSPAN_PAYLOADS",
                    None => "",
                };
                let policy = policy.snapshot();
                tracing::info!(
                    target: "veilspan",
                    %policy,
                    key,
                    endpoint,
                    "{doing}; of what is said {content}{kept}; {digests}; spans go {way}"
                );
            }
            State::SwitchedOff => {
                const WHY: &str = "nothing is recorded: OTEL_SDK_DISABLED or OTEL_TRACES_EXPORTER says so";
                tracing::info!(target: "veilspan", "{WHY}");
            }
            State::Failed(error) => tracing::warn!(target: "veilspan", error, "nothing is recorded"),
        }
    }
}

/// What leaves of content, in words: of all of it, then of each class that differs.
struct Content<'a>(&'a Policy);

impl Content<'_> {
    const fn words(level: Level, has_digests: bool, has_placeholders: bool) -> &'static str {
        match (level, has_digests) {
            (Level::None, _) => "nothing leaves",
            (Level::Digest, false) => "lengths leave, and no text",
            (Level::Digest, true) => "digests and lengths leave, and no text",
            (Level::Preview, false) if has_placeholders => "lengths and placeholders leave, and no text",
            (Level::Preview, true) if has_placeholders => "digests, lengths and placeholders leave, and no text",
            (Level::Preview, false) => "lengths and first characters leave, with secrets masked",
            (Level::Preview, true) => "digests, lengths and first characters leave, with secrets masked",
            (Level::Masked, _) => "all leaves, with secrets masked",
            (Level::Full, _) => "all leaves, as it is",
        }
    }
}

impl fmt::Display for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let general = self.0.level();
        let words = |level| Self::words(level, self.0.algorithm().is_some(), self.0.has_placeholders());
        f.write_str(words(general))?;
        for level in Level::ALL.into_iter().filter(|level| *level != general) {
            let classes = self.0.classes().iter().filter(|class| class.level == level);
            let names: Vec<&str> = classes.map(|class| class.class.as_str()).collect();
            if !names.is_empty() {
                write!(f, ", but of {} {}", names.join(" and "), words(level))?;
            }
        }
        Ok(())
    }
}

/// What digests are worth, in words.
struct Digests<'a>(&'a Policy);

impl fmt::Display for Digests<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.0.algorithm(), self.0.key_id()) {
            (None, _) => "there are no digests",
            (Some(Algorithm::Sha256), _) => "digests have no key, so that short texts can be guessed from them",
            (Some(_), _) if self.0.has_kept_key() => "digests have the key that is kept for this user",
            (Some(_), Some(id)) if id.starts_with("ephemeral-") => {
                "the key of digests is made for this process alone, so that they compare with no other process'"
            }
            (Some(_), _) => "digests have the key that was named for them",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(variables: &[(&str, &str)]) -> (String, String) {
        let (policy, _) = Policy::builder().build_in(&variables.iter().copied().collect());
        (Content(&policy).to_string(), Digests(&policy).to_string())
    }

    #[test]
    fn what_leaves_is_told_of_all_content_and_of_each_class_that_differs() {
        let said = |variables: &[(&str, &str)]| told(variables).0;
        assert_eq!(said(&[]), "digests and lengths leave, and no text");
        assert_eq!(said(&[("VEILSPAN_HASH", "none")]), "lengths leave, and no text");
        assert_eq!(
            said(&[("VEILSPAN_CONTENT", "none"), ("VEILSPAN_CONTENT_ERRORS", "masked")]),
            "nothing leaves, but of errors all leaves, with secrets masked"
        );
        assert_eq!(
            said(&[
                ("VEILSPAN_CONTENT_PROMPTS", "on"),
                ("VEILSPAN_CONTENT_SYSTEM", "none"),
                ("VEILSPAN_CONTENT_ERRORS", "none")
            ]),
            "digests and lengths leave, and no text, but of system and errors nothing leaves, but of prompts digests, \
             lengths and first characters leave, with secrets masked"
        );
        let placeholders = [("VEILSPAN_CONTENT", "on"), ("VEILSPAN_PREVIEW", "placeholder")];
        assert_eq!(said(&placeholders), "digests, lengths and placeholders leave, and no text");
    }

    #[test]
    fn a_key_that_is_kept_is_not_called_one_that_was_named() {
        let home = tempfile::tempdir().unwrap();
        let kept =
            Policy::builder().keep_key().build_in(&[("HOME", home.path().to_str().unwrap())].into_iter().collect());
        assert_eq!(Digests(&kept.0).to_string(), "digests have the key that is kept for this user");
        let named = told(&[("VEILSPAN_HASH_KEY", "0123456789abcdef0123456789abcdef")]).1;
        assert_eq!(named, "digests have the key that was named for them");
        assert!(told(&[]).1.contains("for this process alone"));
        assert_eq!(told(&[("VEILSPAN_CONTENT", "none")]).1, "there are no digests");
    }
}
