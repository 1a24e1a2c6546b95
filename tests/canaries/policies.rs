//! The policies that the promise is tried under.

use veilspan::Policy;
use veilspan::environment::Environment;
use veilspan::privacy::{Key, Level, PolicyBuilder};
use veilspan::semconv::Field;

/// The operator lets all leave that the policy lets leave.
pub fn without_ceiling() -> Environment {
    [("VEILSPAN_CONTENT_MAX", "full")].into_iter().collect()
}

/// Each level for all classes, then each class alone shown whole, then each class alone hidden; with keyed digests, with
/// unkeyed ones, and without any.
pub fn every_policy() -> Vec<Policy> {
    let all = Level::ALL.map(|level| Policy::builder().content(level));
    let shown = Field::ALL.map(|field| Policy::builder().content(Level::Digest).class(field, Level::Full));
    let hidden = Field::ALL.map(|field| Policy::builder().content(Level::Full).class(field, Level::None));
    let every = all.into_iter().chain(shown).chain(hidden).enumerate();
    every.map(|(round, builder)| hashed(round, builder).build_in(&without_ceiling()).0).collect()
}

/// Each level for all classes.
pub fn every_level() -> [Policy; 5] {
    Level::ALL.map(|level| hashed(0, Policy::builder().content(level)).build_in(&without_ceiling()).0)
}

fn hashed(round: usize, builder: PolicyBuilder) -> PolicyBuilder {
    match round % 3 {
        0 => builder.key(Key::new(vec![7; 32], Some("test".to_owned())).unwrap()),
        1 => builder.unkeyed_sha256(),
        _ => builder.no_digests(),
    }
}
