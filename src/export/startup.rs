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
                let policy = policy.snapshot();
                tracing::info!(
                    target: "veilspan",
                    %policy,
                    key,
                    endpoint,
                    "{doing}; of what is said {content}; {digests}; spans go {way}"
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

/// What leaves of content, in words.
struct Content<'a>(&'a Policy);

impl fmt::Display for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.0.level(), self.0.algorithm()) {
            (Level::None, _) => "nothing leaves",
            (Level::Digest, None) => "lengths leave, and no text",
            (Level::Digest, Some(_)) => "digests and lengths leave, and no text",
            (Level::Preview, _) => "digests, lengths and first characters leave",
            (Level::Masked, _) => "all leaves, with secrets masked",
            (Level::Full, _) => "all leaves, as it is",
        })
    }
}

/// What digests are worth, in words.
struct Digests<'a>(&'a Policy);

impl fmt::Display for Digests<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.0.algorithm(), self.0.key_id()) {
            (None, _) => "there are no digests",
            (Some(Algorithm::Sha256), _) => "digests have no key, so that short texts can be guessed from them",
            (Some(_), Some(id)) if id.starts_with("ephemeral-") => {
                "the key of digests is made for this process alone, so that they compare with no other process'"
            }
            (Some(_), _) => "digests have a key of yours",
        })
    }
}
