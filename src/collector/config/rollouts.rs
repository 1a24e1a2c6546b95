//! Whether, and to whom, the stage tells what it knows of rollouts.

use std::path::PathBuf;

use super::error::ConfigError;
use super::receiver::Listen;
use super::section::Section;

/// `veilspan.v1.RolloutService`, over gRPC.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RolloutsConfig {
    /// Where it listens.
    pub listen: Listen,
    /// A file of OTLP JSON lines, as `file` exporters write them, or a folder of such files: read for each question that needs it.
    pub recordings: Option<PathBuf>,
}

impl RolloutsConfig {
    /// There, of what reduction holds alone.
    pub const fn at(listen: Listen) -> Self {
        Self { listen, recordings: None }
    }

    pub(super) const fn place() -> &'static str {
        "service.rollouts"
    }

    pub(super) fn read(service: &Section<'_>) -> Result<Option<Self>, ConfigError> {
        if !service.has("rollouts") {
            return Ok(None);
        }
        let section = service
            .section("rollouts", &["endpoint", "max_concurrent_streams", "tls", "auth", "insecure", "recordings"])?;
        Ok(Some(Self { listen: Listen::read(&section)?, recordings: section.path("recordings")? }))
    }
}
