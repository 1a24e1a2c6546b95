//! The recorder that sends, from the environment.

use std::sync::Arc;

use super::{Exporter, ExporterConfig, ExporterError};
use crate::environment::{Environment, warn_once};
use crate::event::{Clock, ProducerId, SystemClock};
use crate::intake::Counters;
use crate::privacy::Policy;
use crate::record::Recorder;

impl Recorder {
    /// A recorder that sends its spans where the environment says, under the policy that the environment sets.
    ///
    /// Never fails: what is wrong in a variable is logged once and taken for its most private or its default value, and
    /// where nothing can be sent at all the recorder is a disabled one, which is logged too.
    pub fn from_env() -> Self {
        Self::try_from_env().unwrap_or_else(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            tracing::warn!(target: "veilspan", %error, cause, "nothing is recorded");
            Self::disabled()
        })
    }

    /// The same, but it says where nothing can be sent.
    pub(super) fn try_from_env() -> Result<Self, ExporterError> {
        let environment = Environment::from_process();
        let (policy, mut warnings) = Policy::builder().build_in(&environment);
        let (config, more) = ExporterConfig::from_environment(&environment);
        warnings.extend(more);
        warn_once(&warnings);
        if config.disabled {
            return Ok(Self::disabled());
        }
        Self::exporting(&config, policy)
    }

    /// A recorder that sends its spans as `config` says, under `policy`.
    pub fn exporting(config: &ExporterConfig, policy: Policy) -> Result<Self, ExporterError> {
        let clock = Arc::new(SystemClock::default());
        let producer = ProducerId::generate(clock.unix_nanos());
        let counters = Arc::new(Counters::default());
        let exporter = Exporter::start(config, &policy, producer, Arc::clone(&counters))?;
        tracing::info!(
            target: "veilspan",
            policy = %policy.snapshot(),
            endpoint = config.address(),
            "recording"
        );
        let builder = Self::builder().sink(Arc::new(exporter)).policy(policy).clock(clock).sampler(config.sampler);
        Ok(builder.producer(producer).counters(counters).build())
    }
}
