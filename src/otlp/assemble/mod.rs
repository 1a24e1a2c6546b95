//! Requests out of spans that are bytes already: new ones joined, and received ones with some spans patched.

mod patched;
mod patches;
mod pieces;
mod request;

pub use patched::patched;
pub use patches::{Envelope, Patch, Patches};
pub use request::{overhead, request};
