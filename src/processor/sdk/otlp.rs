//! The exporter that brings all it needs.

use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig};
use tracing::subscriber::NoSubscriber;

use super::exporter::RedactingExporter;
use crate::environment::Environment;
use crate::export::upstream::{IoRuntime, OwnClient, compression, overriding};
use crate::export::{ExporterConfig, Protocol, Startup};
use crate::otlp::{ClientOptions, ConfigError, metadata};
use crate::privacy::Policy;

/// An exporter that cannot be made. Says nothing of the values it was given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SdkExporterError {
    /// The endpoint, a header or a file for TLS cannot be used.
    #[error("the endpoint cannot be used")]
    Endpoint(#[source] ConfigError),
    /// `opentelemetry_otlp` does not take the settings that are left. What it says of them may quote one.
    #[error("opentelemetry_otlp cannot use its settings")]
    Settings,
    /// The exporter's thread could not be started.
    #[error("the exporter's thread could not be started")]
    Thread(#[source] std::io::Error),
}

/// `opentelemetry_otlp`'s exporter under the policy that the environment sets, for any `SdkTracerProvider`.
///
/// Reads the variables that [`ExporterConfig::from_environment`] reads, by the same rules: endpoint, protocol, headers,
/// time-out, compression, the files for TLS; with `OTEL_SDK_DISABLED=true` or `OTEL_TRACES_EXPORTER=none` it exports nothing.
/// The resource, the sampler, batches and limits on spans are the SDK's. Its connections live on a thread of their own, so
/// that it needs no runtime, and delivers under a host that has a single thread, or blocks it. What is in force is logged
/// with the first export.
///
/// What `opentelemetry_otlp` cannot do, and the recorder can: it retries for as long as one request may take, and what is
/// not delivered then is lost, and told to the SDK; requests are cut by the number of spans alone, so that large ones can
/// be over a receiver's limit; of spans that a peer refuses of a request that it takes it logs no more than how many, and
/// over gRPC the peer's words with it. It reads the variables for headers and compression once more by itself; of a header
/// our reading wins.
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
    let environment = Environment::from_process();
    let (policy, mut warnings) = Policy::builder().build_in(&environment);
    let (config, more) = ExporterConfig::from_environment(&environment);
    warnings.extend(more);
    let startup = if config.disabled { Startup::switched_off() } else { Startup::redacting(&config, &policy) };
    let runtime = IoRuntime::start().map_err(SdkExporterError::Thread)?;
    let exporter = {
        let _inside = runtime.handle().enter();
        // What it finds wrong in the environment it would log with the value; we have found the same.
        let _silence = tracing::subscriber::set_default(NoSubscriber::new());
        if config.disabled { unused()? } else { exporter(&config)? }
    };
    let exporter = RedactingExporter::new(exporter, policy).on(runtime).telling(startup.warning(warnings));
    Ok(if config.disabled { exporter.switched_off() } else { exporter })
}

fn exporter(config: &ExporterConfig) -> Result<SpanExporter, SdkExporterError> {
    let peer = config.peer();
    let packing = compression(&peer);
    let exporter = match config.protocol {
        Protocol::HttpProtobuf => {
            let client = OwnClient::new(&peer).map_err(SdkExporterError::Endpoint)?;
            // The endpoint is the client's: this one is what is logged of it, and a path may be a secret.
            let builder = SpanExporter::builder().with_http().with_endpoint("http://localhost/v1/traces");
            let builder = builder.with_http_client(client).with_timeout(config.timeout);
            match packing {
                Some(packing) => builder.with_compression(packing).build(),
                None => builder.build(),
            }
        }
        _ => {
            let channel = peer.channel().map_err(SdkExporterError::Endpoint)?;
            let headers = metadata(&peer).map_err(SdkExporterError::Endpoint)?;
            let builder = SpanExporter::builder().with_tonic().with_channel(channel).with_timeout(config.timeout);
            let builder = builder.with_interceptor(move |request| overriding(request, &headers));
            match packing {
                Some(packing) => builder.with_compression(packing).build(),
                None => builder.build(),
            }
        }
    };
    exporter.map_err(|_| SdkExporterError::Settings)
}

/// One that is never asked.
fn unused() -> Result<SpanExporter, SdkExporterError> {
    let channel = ClientOptions::new("http://localhost:4317").channel().map_err(SdkExporterError::Endpoint)?;
    SpanExporter::builder().with_tonic().with_channel(channel).build().map_err(|_| SdkExporterError::Settings)
}
