//! A meter provider of our own, for hosts that have none.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_otlp::{MetricExporter, WithExportConfig, WithHttpConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use tracing::subscriber::{NoSubscriber, set_default};

use super::instruments::{self, Source, Told};
use crate::export::config::{ExporterError, MetricsConfig};
use crate::export::queue::Queue;
use crate::export::upstream::{Guarded, IoRuntime, OwnClient, compression, overriding};
use crate::intake::Counters;
use crate::otlp::{self, ConfigError, Protocol};

/// Collects once in a while and sends what it has collected, from threads of its own.
pub(in crate::export) struct Push(SdkMeterProvider);

impl Push {
    /// Nothing is connected before the first time.
    pub(in crate::export) fn start(
        config: &MetricsConfig,
        resource: impl Iterator<Item = (String, String)>,
        counters: &Arc<Counters>,
        queue: Weak<dyn Queue>,
    ) -> Result<Self, ExporterError> {
        let exporter = OpaqueExporter::new(config)?;
        let attributes = resource.map(|(key, value)| KeyValue::new(key, value));
        let provider = {
            // What it finds wrong in the environment it would log with the value; we have read the same.
            let _silence = set_default(NoSubscriber::new());
            let reader = PeriodicReader::builder(exporter).with_interval(config.interval).build();
            let resource = Resource::builder_empty().with_attributes(attributes).build();
            SdkMeterProvider::builder().with_reader(reader).with_resource(resource).build()
        };
        let counters = Arc::clone(counters);
        let source: Source = Arc::new(move || {
            let waiting = queue.upgrade().map(|queue| queue.waiting());
            Some(Told { counts: counters.read(), waiting })
        });
        instruments::register(&provider.meter(env!("CARGO_PKG_NAME")), &source);
        Ok(Self(provider))
    }

    /// Sends the last of it, until the deadline.
    pub(in crate::export) fn shutdown(&self, deadline: Instant) {
        // A second time there is nothing left to do, which is what it says then.
        let _ = self.0.shutdown_with_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

impl Drop for Push {
    /// Waits for nobody: the provider would, where it is still at work.
    fn drop(&mut self) {
        self.shutdown(Instant::now());
    }
}

/// `opentelemetry_otlp`'s exporter on a thread of our own, without a word of the peer's: what it answers is logged by the SDK.
struct OpaqueExporter {
    inner: MetricExporter,
    runtime: IoRuntime,
}

impl OpaqueExporter {
    fn new(config: &MetricsConfig) -> Result<Self, ExporterError> {
        let runtime = IoRuntime::start().map_err(ExporterError::Thread)?;
        let inner = {
            let _inside = runtime.handle().enter();
            let _silence = set_default(NoSubscriber::new());
            exporter(config).map_err(ExporterError::Metrics)?
        };
        Ok(Self { inner, runtime })
    }
}

fn exporter(config: &MetricsConfig) -> Result<MetricExporter, ConfigError> {
    let peer = &config.peer;
    let packing = compression(peer);
    let built = match peer.protocol {
        Protocol::HttpProtobuf => {
            // The endpoint is the client's: this one is what is logged of it, and a path may be a secret.
            let builder = MetricExporter::builder().with_http().with_endpoint("http://localhost/v1/metrics");
            let builder = builder.with_http_client(OwnClient::new(peer)?).with_timeout(peer.timeout);
            match packing {
                Some(packing) => builder.with_compression(packing).build(),
                None => builder.build(),
            }
        }
        Protocol::Grpc => {
            let headers = otlp::metadata(peer)?;
            let builder = MetricExporter::builder().with_tonic().with_channel(peer.channel()?);
            let builder = builder.with_timeout(peer.timeout);
            let builder = builder.with_interceptor(move |request| overriding(request, &headers));
            match packing {
                Some(packing) => builder.with_compression(packing).build(),
                None => builder.build(),
            }
        }
    };
    built.map_err(|_| ConfigError::settings())
}

impl PushMetricExporter for OpaqueExporter {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let export = async { self.inner.export(metrics).await };
        match Guarded::new(export, Some(self.runtime.handle())).silent().await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(OTelSdkError::AlreadyShutdown)) => Err(OTelSdkError::AlreadyShutdown),
            Ok(Err(OTelSdkError::Timeout(after))) => Err(OTelSdkError::Timeout(after)),
            Ok(Err(_)) => Err(OTelSdkError::InternalFailure("the peer did not take the metrics".to_owned())),
            Err(_) => Err(OTelSdkError::InternalFailure("the exporter of metrics has panicked".to_owned())),
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.inner.temporality()
    }
}
