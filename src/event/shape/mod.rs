//! From a provider's JSON to the one vocabulary: a [`Request`](crate::event::Request), or messages.
//!
//! Knows OpenAI's chat completions and responses, Anthropic's messages and the GenAI conventions' own schema. A part is
//! told by its `type`, not by its provider: the names do not collide, and gateways mix them.
//!
//! Promises that the same conversation in two shapes becomes the same messages; that what is not understood becomes
//! [`Part::Other`](crate::event::Part::Other) and is never dropped; and that no value panics or exhausts the stack,
//! whatever its depth. Ids that only name a message, signatures, cache hints and timestamps are left out. Costs a copy
//! of each string of a borrowed [`Value`](serde_json::Value), and moves those of an owned one. Leaves to others
//! everything that is no content: parameters, labels, time.

mod answer;
mod blob;
#[cfg(any(feature = "collector", feature = "sdk"))]
pub(crate) mod borrowed;
mod bounded;
mod call;
mod facts;
pub(crate) mod flat;
pub mod genai;
mod items;
pub(crate) mod json;
mod media;
mod message;
mod node;
mod part;
mod request;
mod tools;

pub use answer::answer;
pub use facts::{ResponseFacts, Usage, response_facts};
pub use items::messages;
pub(crate) use items::messages_of;
pub use node::Json;
pub(crate) use node::Look;
#[cfg(feature = "import")]
pub(crate) use part::blocks;
pub use request::request;
#[cfg(any(feature = "collector", feature = "sdk"))]
pub(crate) use tools::tool;

#[cfg(test)]
mod tests;
