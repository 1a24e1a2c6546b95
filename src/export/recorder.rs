//! The recorder that sends, from the environment.

use std::sync::Arc;

use super::startup::Startup;
use super::{Exporter, ExporterConfig, ExporterError, SpoolConfig};
use crate::environment::{Environment, Warning};
use crate::event::{Clock, CountedClock, ProducerId};
use crate::intake::{Counters, Manner, Timepiece};
use crate::privacy::{Policy, PolicyBuilder};
use crate::record::Recorder;

/// What the environment has made, and what there is to say of it.
pub(super) struct FromEnv {
    pub(super) recorder: Recorder,
    /// Nothing where the recorder is disabled.
    pub(super) exporter: Option<Arc<Exporter>>,
    pub(super) startup: Startup,
}

impl FromEnv {
    /// Or why nothing can be sent, and what there is to say of that.
    pub(super) fn read(policy: PolicyBuilder) -> Result<Self, Box<(ExporterError, Startup)>> {
        let environment = Environment::from_process();
        let (policy, mut warnings) = policy.build_in(&environment);
        let (mut config, more) = ExporterConfig::from_environment(&environment);
        warnings.extend(more);
        if config.disabled {
            let startup = Startup::switched_off().warning(warnings);
            return Ok(Self { recorder: Recorder::disabled(), exporter: None, startup });
        }
        let mut started = start(&config, &policy);
        if let Err(ExporterError::Spool(problem)) = &started {
            // Better told from memory than not at all.
            warnings.push(Warning::new("VEILSPAN_SPOOL_DIR", "", problem.cure()));
            config.spool = None;
            started = start(&config, &policy);
        }
        if let Err(ExporterError::Metrics(_)) = &started {
            const CURE: &str =
                "the receiver of metrics cannot be used; none are sent: look at its address and files for TLS";
            warnings.push(Warning::new("OTEL_METRICS_EXPORTER", "", CURE));
            config.metrics = None;
            started = start(&config, &policy);
        }
        match started {
            Ok((recorder, exporter)) => {
                let startup = Startup::recording(&config, &policy).warning(warnings);
                Ok(Self { recorder, exporter: Some(exporter), startup })
            }
            Err(error) => {
                let startup = Startup::failed(&error).warning(warnings);
                Err(Box::new((error, startup)))
            }
        }
    }

    /// The same, where not being able to send is no reason to stop.
    pub(super) fn read_or_disabled(policy: PolicyBuilder) -> Self {
        Self::read(policy).unwrap_or_else(|failed| {
            let (_, startup) = *failed;
            Self { recorder: Recorder::disabled(), exporter: None, startup }
        })
    }
}

impl Recorder {
    /// A recorder that sends its spans where the environment says, under the policy that the environment sets.
    ///
    /// Never fails: what is wrong in a variable is logged once and taken for its most private or its default value, and
    /// where nothing can be sent at all the recorder is a disabled one, which is logged too.
    pub fn from_env() -> Self {
        let made = FromEnv::read_or_disabled(Policy::builder());
        made.startup.tell();
        made.recorder
    }

    /// A recorder that sends its spans as `config` says, under `policy`.
    pub fn exporting(config: &ExporterConfig, policy: Policy) -> Result<Self, ExporterError> {
        let (recorder, _) = start(config, &policy)?;
        Startup::recording(config, &policy).tell();
        Ok(recorder)
    }
}

fn start(config: &ExporterConfig, policy: &Policy) -> Result<(Recorder, Arc<Exporter>), ExporterError> {
    let clock = Arc::new(CountedClock::default());
    let producer = ProducerId::generate(clock.unix_nanos());
    let counters = Arc::new(Counters::default());
    let exporter = Arc::new(Exporter::start(config, policy, producer, Arc::clone(&clock) as _, Arc::clone(&counters))?);
    let sink = Arc::clone(&exporter);
    let builder = Recorder::builder().sink(sink).policy(policy.clone()).sampler(config.sampler);
    let builder = builder.timepiece(Timepiece::Machine(clock));
    let wait = config.spool.as_ref().and_then(|spool| spool.wait).map(|_| SpoolConfig::LONGEST_WAIT);
    let recorder =
        builder.producer(producer).counters(counters).manner(Manner { wait, is_inline: config.inline }).build();
    match recorder.is_enabled() {
        true => Ok((recorder, exporter)),
        false => Err(ExporterError::Thread(std::io::ErrorKind::WouldBlock.into())),
    }
}
