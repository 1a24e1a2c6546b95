//! OTLP: spans as bytes, made once and read where they stand.
//!
//! ```text
//! CallRecord<Veiled> ── encode ──▶ Span bytes ── assemble ──▶ Segments ── client ──▶ gRPC
//! CallRecord<Veiled> ◀── decode ── SpanView  ◀──── walk ◀──── Request  ◀── server ── gRPC
//!                                                  └─ patches ── assemble ──▶ Segments
//! ```

mod any;
mod attribute;
pub mod decode;
pub mod encode;
mod fields;
mod view;
pub mod wire;
pub mod writer;

pub use any::{AnyView, Attributes, Values};
pub use view::{EventView, LinkView, SpanView, Status};
