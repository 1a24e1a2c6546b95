//! OTLP: spans as bytes, made once and read where they stand.
//!
//! ```text
//! CallRecord<Veiled> ── encode ──▶ Span bytes ── assemble ──▶ Segments ── client ──▶ gRPC, HTTP
//! CallRecord<Veiled> ◀── decode ── SpanView  ◀──── walk ◀──── Request  ◀── server ── gRPC, HTTP
//!                                                  └─ patches ── assemble ──▶ Segments
//! ```
//!
//! Promises that `decode(encode(r)) == r` for every valid record, that what nobody touches keeps its bytes, that no input
//! makes it panic, and that no error or `Debug` output holds what was in a message or what a peer said. Costs one pass
//! and one copy each way, and no generated code. Leaves to others what may leave (`privacy`), when it leaves and how often
//! (`export`), and what it means (`reduce`).

pub mod added;
mod any;
pub mod assemble;
mod attribute;
mod body;
mod client;
mod codec;
mod compression;
mod content;
mod decision;
pub mod decode;
pub mod dialects;
mod elements;
pub mod encode;
mod endpoint;
mod error;
mod fields;
mod form;
mod gather;
mod guard;
mod keys;
#[cfg(feature = "cli")]
mod plain;
mod protocol;
mod ready;
#[cfg(feature = "collector")]
mod refusal;
mod repeated;
mod request;
mod response;
mod segments;
#[cfg(feature = "collector")]
mod server;
mod signal;
mod tls;
mod transport;
mod varint;
mod view;
mod view_parts;
mod walk;
pub mod wire;
pub mod writer;

pub use any::{AnyView, Attributes, Values};
pub use client::{Accepted, Client, ClientOptions};
pub use compression::Compression;
pub use endpoint::ConfigError;
pub(crate) use endpoint::host_and_port;
pub use error::ExportError;
#[cfg(feature = "collector")]
pub(crate) use form::Known as KnownFields;
pub use form::{Form, is_canonical};
#[cfg(feature = "collector")]
pub(crate) use gather::Known;
#[cfg(feature = "cli")]
pub(crate) use plain::PlainClient;
pub use protocol::Protocol;
pub(crate) use ready::Ready;
#[cfg(feature = "collector")]
pub use refusal::refusal;
#[cfg(any(feature = "collector", feature = "sdk"))]
pub(crate) use repeated::Repeated;
pub use request::{Look, NotARequest, Request, ResourceSpans, ScopeSpans, SpanEntry};
#[cfg(feature = "sdk")]
pub(crate) use response::encode as encode_response;
pub use segments::Segments;
#[cfg(feature = "collector")]
pub use server::{Gate, GateCounts, GateLimits, Handler, Reply, TraceHttp, TraceServer};
#[cfg(feature = "collector")]
pub(crate) use server::{framed, heavy, said as http_response, unary, unary_body};
pub use signal::Signal;
pub use tls::TlsFiles;
#[cfg(feature = "collector")]
pub(crate) use tls::{Acceptor, ServerTlsFiles};
#[cfg(feature = "sdk")]
pub(crate) use transport::metadata;
pub(crate) use varint::packed;
#[cfg(any(feature = "collector", feature = "sdk"))]
pub(crate) use varint::varint_len;
pub use view::SpanView;
pub use view_parts::{EventView, LinkView, Status};
