//! What the hooks of coding agents tell, veiled before it is kept.
//!
//! Promises that of a hook's payload a fixed list of names, numbers and ids is kept, as labels, and of everything else
//! digests and lengths as the policy lets leave, or nothing. Costs one parse and one hash of the payload. Leaves to the
//! readers what a fact means.

mod fact;
mod payload;
mod response;

pub use fact::{Fact, Hook};
pub use payload::read;
