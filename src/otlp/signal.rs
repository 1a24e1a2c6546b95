//! What is sent.

use http::uri::PathAndQuery;

use super::client::EXPORT_PATH;

/// What a request holds. The messages of all signals are shaped alike: fields of one resource each in, and out what was not
/// taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// Spans.
    #[default]
    Traces,
    /// Log records.
    Logs,
}

impl Signal {
    /// The path at which a receiver takes it over HTTP.
    pub const fn http_path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Logs => "/v1/logs",
        }
    }

    /// The method that takes it over gRPC.
    pub(super) const fn grpc_path(self) -> PathAndQuery {
        PathAndQuery::from_static(match self {
            Self::Traces => EXPORT_PATH,
            Self::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        })
    }
}
