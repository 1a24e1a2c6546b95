//! What a first stage showed instead of a part of a message, in the hands of a second one.

use veilspan::privacy::Level;

use super::build::{attribute, by_key, span, span_leaves, text};
use super::levels::under;

const SAYS: [&str; 4] = [
    r#"{"type":"truncated"}"#,
    r#"{"content":"<redacted>","type":"other"}"#,
    r#"{"modality":"image","type":"redacted"}"#,
    r#"{"modality":"unknown","type":"redacted"}"#,
];

/// Where a length may leave.
const SAYS_HOW_LONG: [&str; 2] =
    [r#"{"content":"<redacted len=20>","type":"other"}"#, r#"{"length":2048,"modality":"audio","type":"redacted"}"#];

/// What else could be put where one of these is looked for.
const SAYS_MORE: [&str; 6] = [
    r#"{"type":"truncated","x":"said"}"#,
    r#"{"content":"<redacted len=20> said","type":"other"}"#,
    r#"{"modality":"said","type":"redacted"}"#,
    r#"{"length":14155550100420,"modality":"image","type":"redacted"}"#,
    r#"{"length":"said","modality":"image","type":"redacted"}"#,
    r#"{"length":2048,"said":1,"modality":"image","type":"redacted"}"#,
];

/// The message of this part as it leaves among prompts where nothing of what a model said may.
fn leaves(level: Level, part: &str) -> (String, String) {
    let policy = under(&[("VEILSPAN_CONTENT", "masked"), ("VEILSPAN_CONTENT_COMPLETIONS", level.as_str())]);
    let said = format!(r#"[{{"role":"assistant","parts":[{part}]}}]"#);
    let messages = attribute("gen_ai.input.messages", text(&said));
    let left = span_leaves(&policy, span([attribute("gen_ai.operation.name", text("chat")), messages]));
    let left = by_key(&left.attributes).get("gen_ai.input.messages").map(|left| (*left).clone());
    (said.clone(), if left == Some(text(&said)) { said } else { format!("{left:?}") })
}

#[test]
fn what_stands_for_a_part_stays_as_it_is() {
    for level in [Level::None, Level::Digest, Level::Preview] {
        let parts = SAYS.iter().chain(SAYS_HOW_LONG.iter().filter(|_| level > Level::None));
        for part in parts {
            let (said, left) = leaves(level, part);
            assert_eq!(left, said, "{level:?}");
        }
    }
}

#[test]
fn what_only_looks_like_it_is_hidden_like_anything_that_was_said() {
    for level in [Level::None, Level::Digest, Level::Preview] {
        let parts = SAYS_MORE.iter().chain(SAYS_HOW_LONG.iter().filter(|_| level == Level::None));
        for part in parts {
            let (_, left) = leaves(level, part);
            assert!(
                left.contains("<redacted") && !left.contains("said") && !left.contains("2048"),
                "{level:?}: {left}"
            );
            assert!(!left.contains("14155550100420"), "{level:?}: {left}");
        }
    }
}
