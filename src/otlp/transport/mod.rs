//! The two ways a request reaches a peer. Both send it once, and neither keeps a word of the answer.

mod connector;
mod gathered;
mod grpc;
mod http_answer;
mod http_protobuf;

pub(super) use connector::for_grpc;
#[cfg(feature = "cli")]
pub(super) use connector::{Connector, connector};
pub(super) use grpc::GrpcTransport;
#[cfg(feature = "sdk")]
pub(crate) use grpc::metadata;
pub(super) use http_answer::code;
pub(super) use http_protobuf::HttpTransport;
