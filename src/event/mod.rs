//! The one vocabulary that all inputs become: [`Event`], generic over content.
//!
//! ```text
//! Event<Raw>    ── privacy ──▶  Event<Veiled>
//!    opened ┐                      opened ┐
//!    marks  ├                      marks  ├── fold ──▶ CallRecord<Veiled> ── otlp ──▶ one span
//!    closed ┘                      closed ┘
//! ```
//!
//! Promises that content as it was said ([`Raw`]) and content made safe ([`Veiled`]) are different types, and that the
//! first can be neither printed nor compared. Costs nothing: these are plain values. Leaves to others how events arise
//! (`record`), become safe (`privacy`), become bytes (`otlp`) and what they mean (`reduce`).

mod attrs;
mod call;
mod call_kind;
mod clock;
mod content;
mod counted_clock;
mod counter;
mod course;
mod entries;
pub(crate) mod hex;
mod id;
mod link;
mod mark;
mod outcome;
mod raw;
mod raw_attrs;
mod row;
mod scope;
pub mod shape;
mod shown;
mod veiled;
mod visible;
mod wipe;

pub use attrs::{Attrs, FromValue, Value};
pub use call::{CallRecord, Closed, Event, Given, Kind, OpenRecord, Opened, Record, Returned, Statement, Subject};
pub use call_kind::CallKind;
pub use clock::{Clock, ManualClock, SystemClock};
pub use content::{Content, Raw, Veiled};
pub use id::{CallId, CallIds, InvalidId, ProducerId, SpanId, TraceId};
pub use link::{EdgeKind, Link};
pub use mark::{Histories, Mark, MarkKind, Marked, Noted};
pub use outcome::Outcome;
pub use raw::{Message, Part, RawBytes, RawText, Request, ResultContent, Role, ToolDefinition};
pub use raw_attrs::{RawAttrs, RawValue};
pub(crate) use row::Row;
pub use scope::{At, Key, KeyIdentity, Scope, Source, SpanIds};
pub use shown::Shown;
pub use veiled::{Algorithm, Arguments, Digest, Input, Item, Measure, Output, ParseDigestError};
pub use visible::{Channel, Facet, ItemKind, ItemPart, PartKind};

pub(crate) use counted_clock::CountedClock;
pub(crate) use id::prepare_ids;
pub(crate) use wipe::{wipe, wipe_from, wipe_text};
