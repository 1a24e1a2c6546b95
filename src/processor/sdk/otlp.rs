//! The exporter that brings all it needs.

use opentelemetry_otlp::{ExporterBuildError, SpanExporter};

use super::exporter::RedactingExporter;
use super::runtime::IoRuntime;
use crate::privacy::Policy;

/// An exporter that cannot be made. Says nothing of the values it was given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SdkExporterError {
    /// A variable has a value that cannot be used, or one that needs a feature which is not there.
    #[error("{0} cannot be used")]
    Setting(&'static str),
    /// The exporter's thread could not be started.
    #[error("the exporter's thread could not be started")]
    Thread(#[source] std::io::Error),
}

/// The variables that the exporter names in its errors.
const VARIABLES: &[&str] = &[
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_COMPRESSION",
];

/// `opentelemetry_otlp`'s exporter under the policy that the environment sets, for any `SdkTracerProvider`.
///
/// Speaks OTLP over gRPC, whatever `OTEL_EXPORTER_OTLP_PROTOCOL` says, to `OTEL_EXPORTER_OTLP_ENDPOINT` and with what else
/// `opentelemetry_otlp` reads; endpoints are `http://host:port` or, with the feature `tls`, `https://host:port`. Its
/// connections live on a thread of their own, so that it needs no runtime, and delivers under a host that has a single
/// thread, or blocks it. Retries for as long as a request may take; what is not delivered then is lost, and told to the
/// SDK. What a peer refuses of a request that it takes, `opentelemetry_otlp` keeps to itself.
///
/// ```no_run
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// let provider = SdkTracerProvider::builder().with_batch_exporter(veilspan::sdk_exporter()?).build();
/// # Ok::<(), veilspan::processor::SdkExporterError>(())
/// ```
///
/// # Errors
///
/// [`SdkExporterError`]: a variable that cannot be used, or no thread.
pub fn sdk_exporter() -> Result<RedactingExporter<SpanExporter>, SdkExporterError> {
    let runtime = IoRuntime::start().map_err(SdkExporterError::Thread)?;
    let exporter = {
        let _inside = runtime.handle().enter();
        SpanExporter::builder().with_tonic().build().map_err(|error| SdkExporterError::Setting(culprit(&error)))?
    };
    let exporter = RedactingExporter::new(exporter, Policy::from_env()).on(runtime);
    tracing::info!(target: "veilspan", policy = %exporter.policy().snapshot(), "redacting");
    Ok(exporter)
}

/// The variable that an error names first. What it says after that may quote an endpoint with a password in it.
fn culprit(error: &ExporterBuildError) -> &'static str {
    let message = match error {
        ExporterBuildError::InvalidConfiguration(message) => message.as_str(),
        _ => "",
    };
    let named = VARIABLES.iter().find(|name| message.strip_prefix(**name).is_some_and(|rest| rest.starts_with(':')));
    named.copied().unwrap_or("a variable of `OTEL_EXPORTER_OTLP_*`")
}
