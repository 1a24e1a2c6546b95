//! What records calls, and what that costs: the parts that benchmarks of a service's side share.

pub mod measure;
pub mod ours;
pub mod payload;
pub mod sdk;
pub mod spans;
