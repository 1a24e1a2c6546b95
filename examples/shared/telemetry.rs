//! Where an example's spans go: to a stage in this process, or where the environment says.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use veilspan::collector::{Capture, Config, Stage};
use veilspan::export::ExporterConfig;
use veilspan::{Policy, Recorder};

const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) enum Telemetry {
    /// Spans go over gRPC to a stage that lives in this process.
    Here {
        recorder: Recorder,
        stage: Stage,
        captured: Arc<Capture>,
    },
    Elsewhere {
        recorder: Recorder,
    },
}

impl Telemetry {
    #[allow(clippy::disallowed_methods)]
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if set("OTEL_EXPORTER_OTLP_ENDPOINT") || set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
            return Ok(Self::Elsewhere { recorder: Recorder::from_env() });
        }
        let policy = Policy::from_env();
        let captured = Arc::new(Capture::default());
        let config = Config::between(([127, 0, 0, 1], 0).into(), None);
        let stage = Stage::builder(config).policy(policy.clone()).capture(Arc::clone(&captured)).start()?;
        let mut exporter = ExporterConfig::default();
        exporter.endpoint = format!("http://{}", stage.address());
        let recorder = Recorder::exporting(&exporter, policy)?;
        Ok(Self::Here { recorder, stage, captured })
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        match self {
            Self::Here { recorder, .. } | Self::Elsewhere { recorder } => recorder,
        }
    }

    /// The stage in this process, for other exporters.
    pub(crate) fn endpoint(&self) -> Option<String> {
        match self {
            Self::Here { stage, .. } => Some(format!("http://{}", stage.address())),
            Self::Elsewhere { .. } => None,
        }
    }

    /// Sends what is left, and has what came out of the stage told by `tell`.
    pub(crate) fn shutdown(
        self,
        tell: impl FnOnce(&Capture) -> Result<String, Box<dyn Error>>,
    ) -> Result<String, Box<dyn Error>> {
        let drained = self.recorder().shutdown(TIMEOUT);
        if !drained.complete || drained.counts.dropped.calls() > 0 {
            return Err(format!("not all spans could be delivered: {:?}", drained.counts).into());
        }
        match self {
            Self::Elsewhere { .. } => Ok(format!("{} spans delivered\n", drained.counts.sent)),
            Self::Here { stage, captured, .. } => {
                stage.shutdown(TIMEOUT);
                tell(&captured)
            }
        }
    }
}
