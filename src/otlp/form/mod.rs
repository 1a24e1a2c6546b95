//! How the bytes of a message are written: canonical, loose or not at all.
//!
//! Canonical bytes say what they mean in one way, so that who checks or patches them where they stand has seen all there
//! is: known fields alone, of the right wire type and range, each singular one at most once, ids of their length, UTF-8
//! strings, the shortest varints, values at most 16 deep. The order of fields is free, and a field may say its default.
//! Loose bytes mean something to prost, but some of it could hide from us. Malformed bytes prost refuses, alone or as
//! part of a request. One pass, no allocation.

mod check;
mod schema;

#[cfg(feature = "collector")]
pub(crate) use check::Known;
pub use check::{Form, is_canonical};
