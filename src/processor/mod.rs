//! What a stage does with a request between two pipelines.
//!
//! A processor reads a [`Request`](crate::otlp::Request) where it stands and answers with
//! [`Patches`](crate::otlp::assemble::Patches). Promises that what no processor touches keeps its bytes.

pub mod privacy;
