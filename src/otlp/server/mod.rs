//! Requests in, over gRPC and over HTTP: two services in front of one [`Handler`], which hand out bytes.
//!
//! ```text
//! gRPC ─ frame ─┐
//! HTTP ─────────┴─▶ Gate: room, time ─▶ unpack (gzip, zstd) ─▶ Handler ─▶ answer in the form of the caller
//! ```
//!
//! Promises that a request holds no more than it may, packed or unpacked, that what all requests hold together is bounded,
//! and that a caller who is slow, or claims what he does not send, costs a place and nothing else. Knows no message but its
//! own small answer. Costs one copy of a request, and another where it is compressed. Leaves to others who may connect,
//! and what a request means.

mod charge;
mod gate;
mod grpc;
mod heavy;
mod http;
mod not_read;
mod read;
mod spares;
mod unary;
mod unpack;

use std::future::Future;

use bytes::Bytes;
use tonic::Status;

use super::request::NotARequest;

use self::charge::Charge;
pub use self::gate::{Gate, GateCounts, GateLimits};
pub use self::grpc::TraceServer;
pub(crate) use self::heavy::heavy;
pub use self::http::TraceHttp;
pub(crate) use self::http::said;
pub(crate) use self::unary::{body as unary_body, framed, unary};

/// What becomes of a request.
pub trait Handler: Send + Sync + 'static {
    /// Takes one `ExportTraceServiceRequest`, as bytes that nobody has looked at yet. The call is answered when this
    /// returns; it may be dropped before, when the caller gives up.
    fn export(&self, body: Bytes) -> impl Future<Output = Result<Reply, Status>> + Send;
}

/// The answer to a request that was taken, at least in part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// How many spans were refused for good.
    pub rejected: i64,
    /// Why; empty where none was.
    pub reason: &'static str,
}

impl From<NotARequest> for Status {
    fn from(error: NotARequest) -> Self {
        Self::invalid_argument(error.to_string())
    }
}
