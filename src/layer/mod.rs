//! The way in for services that already have GenAI spans: a `tracing` layer.
//!
//! ```text
//! rig, genai, goose, … ── tracing spans ──▶ Spans (behind Taken) ── Page ──▶ intake ── Told ──▶ Event<Raw>
//!                                   └─────▶ other layers (behind Others): everything else
//! ```
//!
//! Call sites are told by their fields, never by their names or targets. A span is one turn (`invoke_agent`), inference
//! (`chat`, `generate_content`, `text_completion`), tool call (`execute_tool`), workflow, embedding, retrieval or use of a
//! memory; GenAI operations of other kinds, such as reranking, are counted as `unmapped_operation` and not recorded. The
//! layer makes no span of its own.
//!
//! Promises that all that was recorded passes the policy like any other call; that a field which is not known here never
//! leaves; that `fmt` and other layers see what they saw before; and that no span is handed in twice. A span is handed in
//! when it closes: until then its texts wait with it, outside of the intake's bound. One that is open when the recorder
//! shuts down is lost, and counted as `still_open`.
//!
//! Add it last: a call site that nobody wants costs a look at what is known of it then. Where a layer without a filter of its
//! own was added after this one, tracing-subscriber asks that one at each visit. A call site that others want costs one look
//! into a table of addresses, and each of its spans one into the table of ours each time that it is entered, left, recorded
//! on or closed: the registry is asked for none, as long as there was room for all of ours. Of a span's values each is copied
//! once, to a page that waits with it; what is more than one value under one of the conventions' own names, JSON in strings
//! included, is understood on the pipeline's thread, and the memory of the page goes back to the next span.
//!
//! Calls by hand and spans see each other: whichever is innermost around a line is the parent of what begins there.
//!
//! # Beside tracing-opentelemetry
//!
//! [`others`] is the filter for every other layer that exports. With the feature `opentelemetry` a GenAI span becomes a
//! child of the current OpenTelemetry context (of the HTTP server's span, say), and is that context while it is entered,
//! so that spans made inside and outgoing propagators have it as their parent. Not bridged:
//!
//! - `OpenTelemetrySpanExt` does not see our spans; with `with_context_activation(false)` that layer neither sets nor reads
//!   the context.
//! - A span with an explicit parent that is neither a GenAI span nor the current one starts a trace of its own, and so
//!   does, in the other layer, a span whose explicit parent is ours.
//!
//! A layer without the filter is told by what it does: it makes a span of its own current with one of ours. This is looked
//! for when the first spans are left, whichever layer comes first, and warned of once. One that keeps out of the context
//! (`with_context_activation(false)`) is not found.
//!
//! At the end of a thread OpenTelemetry's state of that thread may go before one of the host's own that opens a GenAI span
//! once more. Whether it has gone is learned from its panic, so built with `panic = "abort"` a thread that ends so has to have
//! opened a GenAI span before.
//!
//! # Limits
//!
//! `Span::enter` held across an `.await` gives what runs meanwhile the wrong parent; use `Instrument`. A span closes when
//! its last handle and its last child are gone. A field that the library did not declare cannot be recorded. A cancelled
//! future looks like a finished one, and so does a failed call whose library has no field for failures, unless the span has
//! fields for an answer and all of them stayed empty: that one is `abandoned`. In a `reload::Layer` the layer may be modified, but not replaced: tracing-subscriber
//! panics over a filter that it has not registered. Inside any span, rig opens no turn of its own:
//! open one around it (`gen_ai.operation.name = "invoke_agent"`), or each of its calls is a run of its own.
//! langchain-rust's tools and chains, and swiftide's own spans, have no
//! field that tells them from other spans, so they are not taken; swiftide's events are, inside a GenAI span.

mod aliases;
#[cfg(feature = "opentelemetry")]
mod bridge;
#[cfg(not(feature = "opentelemetry"))]
#[path = "no_bridge.rs"]
mod bridge;
mod call_site;
mod calls;
mod content;
mod entered;
mod entry;
#[cfg(test)]
mod facts;
mod given;
mod halves;
mod heading;
mod held;
mod json_fields;
mod open;
mod operation;
mod others;
mod page;
mod place;
mod reason;
mod rows;
mod site;
mod slot;
mod spans;
mod spares;
mod table;
mod taken;
mod told;
mod visitor;
mod watch;

pub use others::{Others, others};
pub use spans::{GenAiLayer, Spans};
pub use taken::Taken;

pub(crate) use spans::layer_for;
