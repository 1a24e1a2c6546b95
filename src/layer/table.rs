//! From a field's name to its slot.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::aliases::{ALIASES, PLAIN};
use super::slot::{End, Own, Slot};
use crate::semconv::{self as s, KeyId, Phase, SAID, lookup, table};

/// What a name stands for, and whether it is the conventions' own for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meaning {
    pub(super) slot: Slot,
    pub(super) is_own: bool,
}

/// The meaning of a name on any GenAI call site.
pub(super) fn meaning(name: &str) -> Option<Meaning> {
    static INDEX: OnceLock<FxHashMap<&'static str, Meaning>> = OnceLock::new();
    INDEX.get_or_init(index).get(name).copied()
}

/// The meaning of a plain word on a call site that is known for using them.
pub(super) fn plain_meaning(name: &str) -> Option<Meaning> {
    let alias = PLAIN.iter().find(|alias| alias.name == name)?;
    Some(Meaning { slot: alias.slot, is_own: false })
}

fn index() -> FxHashMap<&'static str, Meaning> {
    let written = table().iter().filter(|name| matches!(name.phase, Phase::Opened | Phase::Closed));
    // Content cannot be among the attributes of a call, whatever the table comes to hold.
    let safe = written.filter(|name| !name.class.is_content());
    let own = safe.filter_map(|name| Some((name.key, Meaning { slot: Slot::Attr(lookup(name.key)?), is_own: true })));
    let said = SAID.iter().map(|(name, said)| (*name, Slot::Said(*said)));
    let others = s::ALIASES.iter().map(|(name, own)| (name.name().key, of_alias(*own)));
    let aliases = said.chain(others).chain(ALIASES.iter().map(|alias| (alias.name, alias.slot)));
    // An alias row may refine what the table says of the same name.
    let all = own.chain(aliases.map(|(name, slot)| (name, Meaning { slot, is_own: is_own(name) })));
    all.map(|(name, meaning)| (name, meaning.at_once())).collect()
}

impl Meaning {
    /// The same, where it can be read as soon as it is told.
    fn at_once(self) -> Self {
        let own = match self.slot {
            Slot::Attr(id) if self.is_own => Own::of(id),
            _ => None,
        };
        Self { slot: own.map_or(self.slot, Slot::Own), ..self }
    }
}

/// What stands for a name of ours under another one.
fn of_alias(own: KeyId) -> Slot {
    match own {
        _ if own == s::FINISH_REASONS.id() => Slot::FinishReasons,
        _ if own == s::CACHE_CREATION_TOKENS.id() => Slot::CacheWrite,
        _ if own == s::ERROR_TYPE.id() => Slot::End(End::ErrorType),
        own => Slot::Attr(own),
    }
}

fn is_own(name: &str) -> bool {
    let phase = |id: KeyId| id.name().phase;
    lookup(name).is_some_and(|id| matches!(phase(id), Phase::Opened | Phase::Closed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::aliases::{Origin, PLAIN_SIGNS};

    #[test]
    fn no_alias_stands_twice_and_every_plain_sign_is_one() {
        let mut names: Vec<_> = ALIASES.iter().chain(PLAIN).map(|alias| alias.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(PLAIN_SIGNS.iter().all(|sign| plain_meaning(sign).is_some()));
        assert!(PLAIN.iter().all(|alias| alias.origin == Origin::LangchainRust));
    }

    #[test]
    fn the_conventions_own_names_win_over_aliases() {
        assert!(meaning("gen_ai.provider.name").unwrap().is_own);
        assert!(!meaning("gen_ai.system").unwrap().is_own);
        assert!(meaning("gen_ai.response.finish_reasons").unwrap().is_own);
    }

    #[test]
    fn a_plain_word_means_nothing_by_itself() {
        assert!(meaning("model").is_none());
        assert!(meaning("message").is_none());
        assert!(meaning("gen_ai.something.new").is_none());
    }
}
