//! What `opentelemetry_otlp`'s exporters need around them: a thread, a client over HTTP, a hand that holds them when they
//! panic, and our reading of headers.

mod guarded;
mod http;
mod runtime;

pub(crate) use self::guarded::{Guarded, Panicked};
pub(crate) use self::http::OwnClient;
pub(crate) use self::runtime::IoRuntime;

use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::otlp::{ClientOptions, Compression};

/// Our reading of headers in the place of that of `opentelemetry_otlp`.
pub(crate) fn overriding(mut request: tonic::Request<()>, headers: &MetadataMap) -> Result<tonic::Request<()>, Status> {
    let ours = headers.clone().into_headers();
    let mut merged = std::mem::take(request.metadata_mut()).into_headers();
    // `extend` replaces what stands there under the same name.
    merged.extend(ours);
    *request.metadata_mut() = MetadataMap::from_headers(merged);
    Ok(request)
}

/// What it calls the compression that we were told.
pub(crate) fn compression(options: &ClientOptions) -> Option<opentelemetry_otlp::Compression> {
    options.compression.map(|compression| match compression {
        Compression::Gzip => opentelemetry_otlp::Compression::Gzip,
        Compression::Zstd => opentelemetry_otlp::Compression::Zstd,
    })
}
