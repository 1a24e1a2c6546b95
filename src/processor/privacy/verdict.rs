//! What becomes of an attribute, by the class of its name.

use super::contract::Slot;
use super::siblings::PREVIEW;
use crate::event::Digest;
use crate::otlp::AnyView;
use crate::privacy::{OTHER, Policy, is_label, is_policy};
use crate::semconv::{Class, Field, KeyId, is_constant, lookup};

/// What becomes of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It leaves as it is.
    Stays,
    /// Those of its texts that are no labels are replaced by their digests.
    Label,
    /// Those of its texts that are no labels are replaced by `_OTHER`.
    Reason,
    /// Those of its texts that are no words of the constant with this name are replaced by `_OTHER`.
    Constant(KeyId),
    /// It is content; of the conventions' own, which.
    Content(Option<Slot>),
    /// It is the beginning of content of this class, cut by somebody before us.
    Preview(Option<Field>),
}

/// The longest number, in characters.
const MAX_NUMBER_CHARS: usize = 32;

/// Whether a text may leave as a label. `_OTHER` is what we write ourselves, and nothing tells nothing.
pub(super) fn stays(text: &str) -> bool {
    is_label(text) || text.is_empty() || text == &*OTHER
}

/// The same under a policy: neither may a detector hit it.
pub(in crate::processor) fn stays_under(policy: &Policy, text: &str) -> bool {
    stays(text) && !policy.detectors().is_some_and(|detectors| detectors.hits(text))
}

/// On a span, an event or a link.
pub(super) fn of_span(key: &str, value: &AnyView<'_>) -> Verdict {
    of_named(lookup(key), key, value)
}

/// The same where the name has been looked up.
pub(super) fn of_named(id: Option<KeyId>, key: &str, value: &AnyView<'_>) -> Verdict {
    if matches!(value, AnyView::Empty) {
        return Verdict::Stays;
    }
    let Some(id) = id else {
        return if is_preview(key, value) { Verdict::Preview(class_of_preview(key)) } else { unknown(key, value) };
    };
    match id.name().class {
        Class::Number => number(value),
        Class::Label => labels(value, stays, Verdict::Label),
        Class::Constant => labels(value, |text| is_word(id, text), Verdict::Constant(id)),
        Class::Reason => labels(value, stays, Verdict::Reason),
        Class::Digest => text_or_content(value, is_digest, true),
        Class::Policy => text_or_content(value, is_policy, false),
        Class::Content(class) if is_preview(key, value) => Verdict::Preview(Some(class)),
        Class::Content(_) => Verdict::Content(Slot::of(id)),
        Class::AnyContent => Verdict::Content(None),
    }
}

/// What becomes of a value with this name that would stay, where a detector hits a text in it.
pub(super) fn of_hit(id: Option<KeyId>) -> Option<Verdict> {
    match id?.name().class {
        Class::Label => Some(Verdict::Label),
        Class::Reason => Some(Verdict::Reason),
        Class::Policy => Some(Verdict::Content(None)),
        Class::Number | Class::Constant | Class::Digest | Class::Content(_) | Class::AnyContent => None,
    }
}

/// On a resource or a scope, where every text is a label and only a text can be one.
pub(super) fn of_owner(value: &AnyView<'_>) -> Verdict {
    labels(value, stays, Verdict::Label)
}

/// Whether an attribute with this name leaves as it is.
pub(super) fn is_valid(id: KeyId, value: &AnyView<'_>) -> bool {
    of_span(id.name().key, value) == Verdict::Stays
}

fn number(value: &AnyView<'_>) -> Verdict {
    let passes = match value {
        AnyView::Text(text) => is_number(text),
        AnyView::Array(values) => values.clone().all(|value| value.is_ok_and(|value| is_scalar(&value))),
        value => is_scalar(value),
    };
    if passes { Verdict::Stays } else { Verdict::Content(None) }
}

fn labels(value: &AnyView<'_>, passes: impl Fn(&str) -> bool, otherwise: Verdict) -> Verdict {
    match value {
        AnyView::Text(text) if passes(text) => Verdict::Stays,
        AnyView::Text(_) => otherwise,
        AnyView::Array(values) => {
            let mut verdict = Verdict::Stays;
            for value in values.clone() {
                match value {
                    Ok(AnyView::Text(text)) if passes(text) => {}
                    Ok(AnyView::Text(_)) => verdict = otherwise,
                    Ok(value) if is_scalar(&value) => {}
                    _ => return Verdict::Content(None),
                }
            }
            verdict
        }
        value if is_scalar(value) => Verdict::Stays,
        _ => Verdict::Content(None),
    }
}

fn text_or_content(value: &AnyView<'_>, passes: fn(&str) -> bool, may_be_array: bool) -> Verdict {
    let is_passing = |value: &AnyView<'_>| matches!(value, AnyView::Text(text) if text.is_empty() || passes(text));
    let passes = match value {
        AnyView::Array(values) if may_be_array => {
            values.clone().all(|value| value.is_ok_and(|value| is_passing(&value)))
        }
        value => is_passing(value),
    };
    if passes { Verdict::Stays } else { Verdict::Content(None) }
}

/// A name that the table lacks: content, numbers too, since nobody knows what they count. A digest stays, and the length
/// beside it, so that what one stage has told passes the next.
fn unknown(key: &str, value: &AnyView<'_>) -> Verdict {
    match value {
        AnyView::Empty => Verdict::Stays,
        AnyView::Text(text) if is_digest(text) => Verdict::Stays,
        AnyView::Int(length) if key.ends_with(".length") && *length >= 0 => Verdict::Stays,
        AnyView::Int(_) | AnyView::Double(_) if is_count(key) => Verdict::Stays,
        _ => Verdict::Content(None),
    }
}

/// The class of what a preview with this key, which the table lacks, stands beside.
fn class_of_preview(key: &str) -> Option<Field> {
    match lookup(key.strip_suffix(PREVIEW)?)?.name().class {
        Class::Content(class) => Some(class),
        _ => None,
    }
}

fn is_preview(key: &str, value: &AnyView<'_>) -> bool {
    key.ends_with(PREVIEW) && matches!(value, AnyView::Text(_))
}

/// Families of names that hold nothing but counts and prices, newer members included.
fn is_count(key: &str) -> bool {
    const COUNTS: [&str; 5] =
        ["gen_ai.usage.", "gen_ai.cost.", "llm.token_count.", "llm.cost.", "codex.turn.token_usage."];
    COUNTS.iter().any(|family| key.starts_with(family))
}

const fn is_scalar(value: &AnyView<'_>) -> bool {
    matches!(value, AnyView::Bool(_) | AnyView::Int(_) | AnyView::Double(_) | AnyView::Empty)
}

fn is_number(text: &str) -> bool {
    text.len() <= MAX_NUMBER_CHARS && text.parse::<f64>().is_ok()
}

fn is_digest(text: &str) -> bool {
    text.parse::<Digest>().is_ok()
}

/// What stands under the name of a constant: a word of its own, `_OTHER`, nothing.
pub(super) fn is_word(id: KeyId, text: &str) -> bool {
    is_constant(id, text) || text.is_empty() || text == &*OTHER
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semconv::{INPUT_PART_KINDS, OUTCOME, table};

    #[test]
    fn a_free_text_stays_under_no_name() {
        let text = "a secret text";
        for name in table() {
            assert!(of_span(name.key, &AnyView::Text(text)) != Verdict::Stays, "{}", name.key);
        }
        assert!(of_span("some.key", &AnyView::Text(text)) == Verdict::Content(None));
        assert!(of_owner(&AnyView::Text(text)) == Verdict::Label);
    }

    #[test]
    fn bytes_stay_under_no_name() {
        for name in table() {
            assert!(matches!(of_span(name.key, &AnyView::Bytes(b"x")), Verdict::Content(_)), "{}", name.key);
        }
        assert!(of_owner(&AnyView::Bytes(b"x")) == Verdict::Content(None));
    }

    #[test]
    fn numbers_stay_as_texts_but_not_as_essays() {
        for (text, stays) in [("42", true), ("-1.5e3", true), ("", false), ("4 2", false), (&*"4".repeat(33), false)] {
            assert!((of_span("veilspan.seq", &AnyView::Text(text)) == Verdict::Stays) == stays, "{text}");
        }
    }

    #[test]
    fn the_kinds_of_a_long_message_stay() {
        let kinds = vec!["tool_call"; 40].join("+");
        let key = INPUT_PART_KINDS.key();
        assert!(of_span(key, &AnyView::Text(&kinds)) == Verdict::Stays);
        assert!(
            of_span(key, &AnyView::Text(&format!("{kinds}+my secret"))) == Verdict::Constant(INPUT_PART_KINDS.id())
        );
    }

    #[test]
    fn a_constant_is_a_word_of_its_name_and_what_only_looks_like_a_name_is_none() {
        for name in table().iter().filter(|name| name.class == Class::Constant) {
            for (text, stays) in [("hunter2", false), ("", true), ("_OTHER", true)] {
                let verdict = of_span(name.key, &AnyView::Text(text));
                let is_replaced = matches!(verdict, Verdict::Constant(id) if id.name().key == name.key);
                assert!(if stays { verdict == Verdict::Stays } else { is_replaced }, "{text} under {}", name.key);
            }
        }
        assert!(of_span("veilspan.outcome", &AnyView::Text("completed")) == Verdict::Stays);
        assert!(of_span("veilspan.outcome", &AnyView::Text("approved")) == Verdict::Constant(OUTCOME.id()));
    }
}
