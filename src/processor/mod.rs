//! What is done with spans between their producers and a backend: in a stage between two pipelines, and in the SDK.
//!
//! In a stage a processor reads a [`Request`](crate::otlp::Request) where it stands and answers with
//! [`Patches`](crate::otlp::assemble::Patches). Promises that what no processor touches keeps its bytes. In the SDK it wraps
//! the next processor or exporter, [`RedactingProcessor`], [`RedactingExporter`], [`ReducingProcessor`] or [`ReplayProcessor`]; all follow the
//! rules of [`privacy`].

#[cfg(feature = "collector")]
pub mod dialect;
#[cfg(any(feature = "collector", feature = "sdk"))]
pub(crate) mod follow;
pub mod privacy;
#[cfg(feature = "sdk")]
mod sdk;

#[cfg(any(feature = "collector", feature = "sdk"))]
pub use follow::ReductionCounts;
#[cfg(feature = "sdk")]
pub use sdk::{
    Compared, PolicyHandle, RedactingExporter, RedactingProcessor, RedactionCounts, Reduced, ReducingProcessor,
    ReplayProcessor, SdkExporterError, sdk_exporter,
};
