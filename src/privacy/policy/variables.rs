//! What the variables of the policy say.

use super::levels::Origin;
use super::resolve::{Limit, Said};
use crate::environment::{Environment, Setting, Warning};
use crate::privacy::Level;
use crate::privacy::level::Strength;
use crate::privacy::preview::PreviewRule;
use crate::semconv::Field;

/// The variable of each class.
pub(super) const fn variable_of(class: Field) -> &'static str {
    match class {
        Field::System => "VEILSPAN_CONTENT_SYSTEM",
        Field::Prompts => "VEILSPAN_CONTENT_PROMPTS",
        Field::Completions => "VEILSPAN_CONTENT_COMPLETIONS",
        Field::Reasoning => "VEILSPAN_CONTENT_REASONING",
        Field::ToolArguments => "VEILSPAN_CONTENT_TOOL_ARGUMENTS",
        Field::ToolResults => "VEILSPAN_CONTENT_TOOL_RESULTS",
        Field::Errors => "VEILSPAN_CONTENT_ERRORS",
    }
}

/// The text of a variable, trimmed. What is not Unicode is no word of ours, as the empty text is none.
fn text<'e>(environment: &'e Environment, name: &str) -> Option<&'e str> {
    match environment.get(name) {
        Setting::Unset => None,
        Setting::Set(value) => Some(value.trim()),
        Setting::NotUnicode => Some(""),
    }
}

fn strength(environment: &Environment, name: &'static str, warnings: &mut Vec<Warning>) -> Option<Strength> {
    const UNKNOWN: &str =
        "not one of `none`, `digest`, `preview`, `masked`, `full`; taken for `none`, the most private of them";
    let value = text(environment, name)?;
    let understood = Strength::from_word(value);
    if understood.is_none() {
        warnings.push(Warning::new(name, value, UNKNOWN));
    }
    Some(understood.unwrap_or(Level::None.into()))
}

/// `VEILSPAN_CONTENT`, and the variables of single classes.
pub(super) fn content(environment: &Environment, warnings: &mut Vec<Warning>) -> Said {
    const GENERAL: &str = "VEILSPAN_CONTENT";
    let mut said = Said::default();
    if let Some(strength) = strength(environment, GENERAL, warnings) {
        said.general(strength, Origin::Variable(GENERAL));
    }
    for class in Field::ALL {
        let name = variable_of(class);
        if let Some(strength) = strength(environment, name, warnings) {
            said.class(class, strength, Origin::Variable(name));
        }
    }
    said
}

/// The operator's ceiling.
pub(super) fn ceiling(environment: &Environment, warnings: &mut Vec<Warning>) -> Level {
    strength(environment, "VEILSPAN_CONTENT_MAX", warnings).map_or(Level::Masked, |strength| strength.level)
}

/// How previews are made. What is not understood of it leaves nothing of content.
pub(super) fn preview(environment: &Environment, limits: &mut Vec<Limit>, warnings: &mut Vec<Warning>) -> PreviewRule {
    const STYLE: &str = "VEILSPAN_PREVIEW";
    const CHARS: &str = "VEILSPAN_PREVIEW_CHARS";
    let mut rule = PreviewRule::default();
    let mut forbid = |name: &'static str, value: &str, message: &'static str| {
        warnings.push(Warning::new(name, value, message));
        limits.extend(Limit::of_all(Level::None, Origin::Variable(name)));
    };
    match text(environment, STYLE) {
        None => {}
        Some(style) if style.eq_ignore_ascii_case("text") => {}
        Some(style) if style.eq_ignore_ascii_case("placeholder") => rule.placeholder = true,
        Some(other) => forbid(STYLE, other, "neither `text` nor `placeholder`; taken to mean `VEILSPAN_CONTENT=none`"),
    }
    match text(environment, CHARS) {
        None => {}
        Some(chars) if !chars.is_empty() && chars.bytes().all(|byte| byte.is_ascii_digit()) => {
            // So many digits that it is no number of ours are a lot of characters.
            rule.chars = chars.parse().unwrap_or(usize::MAX);
        }
        Some(other) => {
            forbid(CHARS, other, "not a whole number of characters; taken to mean `VEILSPAN_CONTENT=none`");
        }
    }
    rule
}

/// The most bytes of one attribute with content.
pub(super) fn attribute_bytes(environment: &Environment, warnings: &mut Vec<Warning>) -> usize {
    const NAME: &str = "VEILSPAN_ATTRIBUTE_BYTES";
    let Some(value) = text(environment, NAME) else { return super::DEFAULT_ATTRIBUTE_BYTES };
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        warnings.push(Warning::new(NAME, value, "not a whole number of bytes; the default holds"));
        return super::DEFAULT_ATTRIBUTE_BYTES;
    }
    value.parse().unwrap_or(usize::MAX)
}

/// Warns of unknown names, and forbids all content where one of them could have been meant to make the policy stricter.
pub(super) fn unknown_names(environment: &Environment, limits: &mut Vec<Limit>, warnings: &mut Vec<Warning>) {
    const PRIVATE: [&str; 5] =
        ["VEILSPAN_CONTENT", "VEILSPAN_HASH", "VEILSPAN_PREVIEW", "VEILSPAN_DETECTORS", "VEILSPAN_POLICY"];
    for name in environment.unknown_names() {
        if PRIVATE.iter().any(|prefix| name.starts_with(prefix)) {
            limits.extend(Limit::of_all(Level::None, Origin::UnknownName));
            let message = "not a variable of this version; taken to mean `VEILSPAN_CONTENT=none`";
            warnings.push(Warning::new(name, "", message));
        } else {
            warnings.push(Warning::new(name, "", "not a variable of this version; ignored"));
        }
    }
}
