//! From a key on the wire to its row.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::{KeyId, table};

/// The id of the name `key`, or nothing for a name that the table lacks.
pub fn lookup(key: &str) -> Option<KeyId> {
    // The keys are our own: nobody can choose some that collide.
    static INDEX: OnceLock<FxHashMap<&'static str, KeyId>> = OnceLock::new();
    let index = INDEX.get_or_init(|| {
        let ids = (0u16..).map(KeyId);
        table().iter().map(|name| name.key).zip(ids).collect()
    });
    index.get(key).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semconv::{Class, Phase, Type};

    #[test]
    fn every_name_is_found_again_under_its_own_id() {
        for (position, name) in table().iter().enumerate() {
            let id = lookup(name.key).unwrap();
            assert_eq!(usize::from(id.0), position, "{} stands twice", name.key);
            assert_eq!(id.name().key, name.key);
        }
    }

    #[test]
    fn classes_fit_types() {
        for name in table() {
            match name.kind {
                Type::Int | Type::Double | Type::Bool | Type::Ints => {
                    assert_eq!(name.class, Class::Number, "{}", name.key);
                }
                Type::Any => assert!(name.class.is_content(), "{}", name.key),
                Type::Text | Type::Texts => assert_ne!(name.class, Class::Number, "{}", name.key),
            }
        }
    }

    #[test]
    fn free_attributes_of_our_own_records_are_never_content() {
        for name in table() {
            if matches!(name.phase, Phase::Opened | Phase::Closed | Phase::Marked) {
                assert!(!name.class.is_content(), "{}", name.key);
            }
        }
    }
}
