//! The layer that sends, from the environment.

use tracing::Subscriber;
use tracing_subscriber::registry::LookupSpan;

use super::ExporterError;
use super::recorder::FromEnv;
use crate::layer::{GenAiLayer, layer_for};
use crate::privacy::Policy;
use crate::record::Recorder;

/// A `tracing` layer that sends the GenAI spans of this process where the environment says, under the policy that the
/// environment sets.
///
/// Its filter comes with it, so it is added to a registry as it is. What waits when the process ends is lost: to flush,
/// keep a recorder and add its [`Recorder::layer`]. What is in force, and what is wrong in a variable, is logged when the
/// first call is recorded: before, there is no subscriber that could hear it.
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// let subscriber = tracing_subscriber::registry().with(veilspan::layer()?);
/// # drop(subscriber);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Nothing can be sent: the endpoint cannot be used, or a thread cannot be started. With `OTEL_SDK_DISABLED=true` the
/// layer is one that sees nothing.
pub fn layer<S>() -> Result<GenAiLayer<S>, ExporterError>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    match FromEnv::read(Policy::builder()) {
        Ok(FromEnv { recorder, exporter: Some(exporter), startup }) => {
            exporter.tell_first(startup);
            Ok(recorder.layer())
        }
        Ok(FromEnv { recorder, startup, .. }) => {
            startup.tell();
            Ok(recorder.layer())
        }
        Err(failed) => {
            let (error, startup) = *failed;
            startup.tell();
            Err(error)
        }
    }
}

impl Recorder {
    /// A `tracing` layer whose spans this recorder records beside its own calls. A disabled recorder's sees nothing.
    ///
    /// Each call makes a layer; two of one recorder in one subscriber would record each span twice, so add one.
    pub fn layer<S>(&self) -> GenAiLayer<S>
    where
        S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    {
        layer_for(self.desk().cloned())
    }
}
