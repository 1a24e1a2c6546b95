//! What holds for the rules as a whole.

use super::*;

#[test]
fn every_pattern_compiles_within_its_size_and_every_rule_is_reachable() {
    for spec in rules::all() {
        assert!(rule::compile(spec.pattern).is_some(), "{}", spec.name);
        let words: &[&str] = match spec.trigger {
            rule::Trigger::Exact(words) | rule::Trigger::Word(words) | rule::Trigger::Inside(words, _) => words,
            rule::Trigger::At | rule::Trigger::Digits | rule::Trigger::Run(_) => continue,
        };
        assert!(!words.is_empty() && words.iter().all(|word| word.len() >= 3), "{}", spec.name);
    }
}

#[test]
fn a_hit_is_replaced_by_the_name_of_its_rule_and_counted() {
    let detectors = Detectors::default_set();
    let mut counts = Counts::default();
    let text = "mail jane.doe@example.com, key ghp_abcdefghijklmnopqrstuvwxyz0123456789.";
    let masked = detectors.mask_counted(text, &mut counts);
    assert_eq!(masked, "mail [redacted:email], key [redacted:github-token].");
    assert_eq!(counts.total(), 2);
    assert!(detectors.hits(text));
    assert!(matches!(detectors.mask("nothing to see"), Cow::Borrowed(_)));
}
