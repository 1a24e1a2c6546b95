//! The policy as spans tell it (`veilspan.policy`): written, and read again.
//!
//! `content=<level>;hash=<algorithm>;form=c1;key=<id>`, and behind it `<class>=<level>` for each class that differs.

use bytestring::ByteString;

use super::levels::{ClassLevel, Levels};
use crate::privacy::level::Level;
use crate::semconv::Field;

/// Writes what a policy tells of itself.
pub(super) fn write(level: Level, hash: &str, key_id: Option<&str>, classes: &[ClassLevel]) -> ByteString {
    let mut snapshot = format!("content={level};hash={hash};form=c1");
    if let Some(id) = key_id {
        snapshot.push_str(";key=");
        snapshot.push_str(id);
    }
    for class in classes.iter().filter(|class| class.level != level) {
        snapshot.push_str(&format!(";{}={}", class.class.as_str(), class.level));
    }
    snapshot.into()
}

/// The levels that a policy tells of itself. Nothing where a part of it is not understood, or the general level is missing:
/// a later version, or another program, may mean anything by that.
pub(crate) fn levels_told(snapshot: &str) -> Option<Levels> {
    let mut pairs = snapshot.split(';').map(|pair| pair.split_once('='));
    let (_, general) = pairs.next()?.filter(|(name, _)| *name == "content")?;
    let mut levels = Levels::all(level(general)?);
    for pair in pairs {
        let (name, value) = pair?;
        if !matches!(name, "hash" | "form" | "key") {
            let class = Field::ALL.into_iter().find(|class| class.as_str() == name)?;
            levels.set(class, level(value)?);
        }
    }
    Some(levels)
}

/// The level of a word as it is written here: no other word for it, in no other case.
fn level(word: &str) -> Option<Level> {
    Level::ALL.into_iter().find(|level| level.as_str() == word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::privacy::Policy;

    proptest! {
        #[test]
        fn what_a_policy_tells_of_its_levels_is_read_again(
            general in 0..Level::ALL.len(),
            of_classes in prop::collection::vec(prop::option::of(0..Level::ALL.len()), Field::ALL.len()),
            unkeyed in any::<bool>(),
        ) {
            let mut builder = Policy::builder().content(Level::ALL[general]);
            for (class, level) in Field::ALL.into_iter().zip(of_classes) {
                builder = match level {
                    Some(level) => builder.class(class, Level::ALL[level]),
                    None => builder,
                };
            }
            builder = if unkeyed { builder.unkeyed_sha256() } else { builder };
            let policy = builder.build_in(&[("VEILSPAN_CONTENT_MAX", "full")].into_iter().collect()).0;
            prop_assert_eq!(levels_told(policy.snapshot()), Some(*policy.levels()), "{}", policy.snapshot());
        }

        #[test]
        fn no_text_makes_reading_panic(text in ".{0,60}", pairs in "(content|hash|key|errors|system)=(full|none|x)(;[a-z]{0,6}=?[a-z]{0,6}){0,3}") {
            let _ = levels_told(&text);
            let _ = levels_told(&pairs);
        }
    }

    #[test]
    fn what_is_not_understood_tells_no_level() {
        for unread in [
            "",
            "content",
            "content=",
            "content=all",
            "content=Full",
            "form=c1",
            "hash=none;content=full",
            "content=full;x=full",
            "content=full;errors",
            "content=full;errors=on",
            "content=full;",
        ] {
            assert_eq!(levels_told(unread), None, "{unread}");
        }
        let told = levels_told("content=full;hash=hmac-sha256;form=c1;key=a;errors=digest").unwrap();
        assert_eq!((told.of(Field::Prompts), told.of(Field::Errors)), (Level::Full, Level::Digest));
    }
}
