//! Switches of other instrumentations. Who has switched content off there means it, whoever records; so they lower to
//! `digest`, and never raise.

use super::levels::Origin;
use super::resolve::Limit;
use crate::environment::{Environment, Setting, Warning};
use crate::privacy::Level;
use crate::semconv::Field;

/// What a switch says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    /// Content may be seen, as far as it is concerned.
    Nothing,
    /// It is to be hidden.
    Hide,
    NotUnderstood,
}

/// A switch, the classes that it hides, and how it is read.
struct Switch {
    name: &'static str,
    classes: &'static [Field],
    read: fn(&str) -> Says,
}

const INPUTS: &[Field] = &[Field::System, Field::Prompts, Field::ToolArguments];
const INPUT_MESSAGES: &[Field] = &[Field::System, Field::Prompts];
const OUTPUTS: &[Field] = &[Field::Completions, Field::Reasoning, Field::ToolResults];
const OUTPUT_MESSAGES: &[Field] = &[Field::Completions, Field::Reasoning];

const fn hides(name: &'static str, classes: &'static [Field]) -> Switch {
    Switch { name, classes, read: hide }
}

const SWITCHES: &[Switch] = &[
    Switch { name: "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", classes: &Field::ALL, read: capture },
    Switch { name: "TRACELOOP_TRACE_CONTENT", classes: &Field::ALL, read: capture },
    hides("OPENINFERENCE_HIDE_INPUTS", INPUTS),
    hides("OPENINFERENCE_HIDE_OUTPUTS", OUTPUTS),
    hides("OPENINFERENCE_HIDE_INPUT_MESSAGES", INPUT_MESSAGES),
    hides("OPENINFERENCE_HIDE_OUTPUT_MESSAGES", OUTPUT_MESSAGES),
    // There is no class of images or of embedded texts; what they are part of is hidden with them.
    hides("OPENINFERENCE_HIDE_INPUT_IMAGES", INPUT_MESSAGES),
    hides("OPENINFERENCE_HIDE_INPUT_TEXT", INPUT_MESSAGES),
    hides("OPENINFERENCE_HIDE_OUTPUT_TEXT", OUTPUT_MESSAGES),
    hides("OPENINFERENCE_HIDE_PROMPTS", INPUT_MESSAGES),
    hides("OPENINFERENCE_HIDE_CHOICES", OUTPUT_MESSAGES),
    hides("OPENINFERENCE_HIDE_LLM_TOOLS", &[Field::System]),
    hides("OPENINFERENCE_HIDE_EMBEDDINGS_TEXT", INPUT_MESSAGES),
];

/// What these switches forbid.
pub(super) fn limits(environment: &Environment, warnings: &mut Vec<Warning>) -> Vec<Limit> {
    const UNKNOWN: &str = "not a word that this switch knows; taken for `none` of the content that it hides";
    let mut limits = Vec::new();
    for switch in SWITCHES {
        let value = match environment.get(switch.name) {
            Setting::Unset => continue,
            Setting::Set(value) => value.trim(),
            Setting::NotUnicode => "",
        };
        let level = match (switch.read)(value) {
            Says::Nothing => continue,
            Says::Hide => Level::Digest,
            Says::NotUnderstood => {
                warnings.push(Warning::new(switch.name, value, UNKNOWN));
                Level::None
            }
        };
        let origin = Origin::Variable(switch.name);
        limits.extend(Limit::of(switch.classes, level, origin));
        if switch.classes.len() == Field::ALL.len() {
            limits.push(Limit { class: None, level, origin });
        }
    }
    limits
}

fn is_one_of(value: &str, words: &[&str]) -> bool {
    words.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// Content is captured where this is true, or, with the newer words, where it goes to spans.
fn capture(value: &str) -> Says {
    match () {
        () if is_one_of(value, &["true", "1", "yes", "on", "span_only", "span_and_event"]) => Says::Nothing,
        () if is_one_of(value, &["false", "0", "no", "off", "no_content", "event_only"]) => Says::Hide,
        () => Says::NotUnderstood,
    }
}

fn hide(value: &str) -> Says {
    match () {
        () if is_one_of(value, &["true", "1", "yes", "on"]) => Says::Hide,
        () if is_one_of(value, &["false", "0", "no", "off"]) => Says::Nothing,
        () => Says::NotUnderstood,
    }
}
