//! What a tool was called with, measured.

use super::Hasher;
use super::json::canonical_seen;
use crate::event::Arguments;

/// The digests and the length of a tool's arguments.
pub fn arguments(hasher: &Hasher, arguments: &str) -> Arguments {
    // The exact bytes are hashed in any case: as the canonical ones, or beside them.
    let mut hashing = hasher.begin();
    let canonical = canonical_seen(arguments, |piece| hashing.update(piece));
    let exact = hashing.finish();
    let (digest, exact) = match canonical {
        Some(canonical) if !canonical.is_exact() => (hasher.digest(&[canonical.as_bytes()]), Some(exact)),
        _ => (exact, None),
    };
    Arguments { digest: Some(digest), exact, length: Some(arguments.len() as u64), ..Arguments::default() }
}

#[cfg(test)]
mod tests {
    use super::super::digest;
    use super::*;

    #[test]
    fn the_exact_digest_stands_only_where_the_bytes_are_not_canonical() {
        let hasher = Hasher::sha256();
        let canonical = arguments(&hasher, r#"{"a":1,"b":2}"#);
        let spaced = arguments(&hasher, r#"{"b": 2, "a": 1}"#);
        let broken = arguments(&hasher, "{\"a\":1");
        assert_eq!(canonical.digest, spaced.digest);
        assert_eq!(canonical.exact, None);
        assert_eq!(spaced.exact, Some(digest::text(&hasher, r#"{"b": 2, "a": 1}"#)));
        assert_eq!(spaced.length, Some(16));
        assert_eq!(broken.digest, Some(digest::text(&hasher, "{\"a\":1")));
        assert_eq!(broken.exact, None);
    }
}
