//! OTLP: spans as bytes, made once and read where they stand.
//!
//! ```text
//! CallRecord<Veiled> ── encode ──▶ Span bytes ── assemble ──▶ Segments ── client ──▶ gRPC
//! CallRecord<Veiled> ◀── decode ── SpanView  ◀──── walk ◀──── Request  ◀── server ── gRPC
//!                                                  └─ patches ── assemble ──▶ Segments
//! ```

mod any;
pub mod assemble;
mod attribute;
mod client;
mod codec;
pub mod decode;
pub mod encode;
mod endpoint;
mod error;
mod fields;
mod guard;
mod response;
mod segments;
mod view;
pub mod wire;
pub mod writer;

pub use any::{AnyView, Attributes, Values};
pub use client::{Accepted, Client, ClientOptions};
pub use endpoint::ConfigError;
pub use error::ExportError;
pub use segments::Segments;
pub use view::{EventView, LinkView, SpanView, Status};
