//! The graph as protobuf: `proto/veilspan/v1/rollout.proto`.
//!
//! The messages are `state.json` in another form, member by member: one table says which field stands for which, both ways
//! go by it, and the committed `.proto` file is held against it. So there is one description of the graph, and no code that
//! is generated. A reader skips fields that it does not know. Costs a walk over the JSON value.

mod read;
mod schema;
mod schema_calls;
#[cfg(test)]
pub(crate) mod tests;
mod write;

pub use read::{NotARollout, state_from_proto};
#[cfg(feature = "collector")]
pub(crate) use {
    read::message as from_proto,
    schema::{Kind, ROLLOUT, Schema, TOTALS, field},
    write::to_proto,
};
