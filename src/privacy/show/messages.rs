//! Content in the form that each attribute of the conventions has.

use std::borrow::Cow;

use super::fit::{self, Gives, Unit, Written};
use super::json::{Draft, cut_to, escaped, is_structured};
use super::part;
use super::shower::Shower;
use crate::event::{Message, RawText, ResultContent, Role, ToolDefinition};
use crate::privacy::classes::{self, Said};
use crate::privacy::level::Level;
use crate::privacy::preview::{MARKER_BYTES, cut};
use crate::semconv::Field;

/// `gen_ai.input.messages`: all messages, or the newest of them.
pub(super) fn input(shower: Shower<'_>, messages: &[Message], bytes: usize) -> Option<Written> {
    let units = messages.iter().map(|message| unit(shower, Said::ToModel, message, None)).collect();
    fit::list(units, Gives::Oldest, bytes)
}

/// `gen_ai.output.messages`, each with the reason why it ended. The conventions (v1.41) require one.
pub(super) fn output(shower: Shower<'_>, messages: &[Message], reasons: &[&str], bytes: usize) -> Option<Written> {
    const UNKNOWN: &str = "unknown";
    let reason = |place: usize| reasons.get(place).or(reasons.last()).copied().map_or(UNKNOWN, conventional);
    let units = messages.iter().enumerate();
    let units = units.map(|(place, message)| unit(shower, Said::ByModel, message, Some(reason(place)))).collect();
    fit::list(units, Gives::Last, bytes)
}

/// The conventions' own word for a provider's.
fn conventional(reason: &str) -> &str {
    match reason {
        "tool_calls" | "tool_use" | "function_call" => "tool_call",
        "end_turn" | "stop_sequence" => "stop",
        "max_tokens" | "max_output_tokens" => "length",
        other => other,
    }
}

/// `gen_ai.system_instructions`
pub(super) fn system(shower: Shower<'_>, level: Level, parts: &[RawText], bytes: usize) -> Option<Written> {
    let unit = |text: &RawText| {
        let mut whole = Draft::default();
        whole.fixed(r#"{"type":"text","content":"#);
        whole.text(shower.content(level, text));
        whole.fixed("}");
        // A text, since that is what is read of it again.
        let mut small = Draft::default();
        small.fixed(r#"{"type":"text","content":"<truncated>"}"#);
        Unit { whole, small }
    };
    fit::list(parts.iter().map(unit).collect(), Gives::Last, bytes)
}

/// `gen_ai.tool.definitions`
pub(super) fn tools(shower: Shower<'_>, level: Level, tools: &[ToolDefinition], bytes: usize) -> Option<Written> {
    let unit = |tool: &ToolDefinition| {
        let head = || {
            let mut draft = Draft::default();
            draft.fixed(r#"{"type":"function","name":"#);
            draft.text(shower.content(level, &tool.name));
            draft
        };
        let (mut whole, mut small) = (head(), head());
        small.fixed("}");
        if let Some(description) = &tool.description {
            whole.fixed(r#","description":"#);
            whole.text(shower.content(level, description));
        }
        if let Some(parameters) = &tool.parameters {
            // Anything but an object would be no schema.
            let shown = shower.content(level, parameters);
            if is_structured(&shown) && shown.trim_start().starts_with('{') {
                whole.fixed(r#","parameters":"#);
                whole.value(shown);
            }
        }
        whole.fixed("}");
        Unit { whole, small }
    };
    fit::list(tools.iter().map(unit).collect(), Gives::Last, bytes)
}

/// `gen_ai.tool.call.arguments` or `.result`: JSON stays JSON, and any other text is itself.
pub(super) fn value(shower: Shower<'_>, level: Level, text: &RawText, bytes: usize) -> Option<Written> {
    let shown = shower.content(level, text);
    if shown.len() <= bytes {
        return Some(Written { json: shown.into_owned(), is_whole: true });
    }
    fitted(&shown, bytes)
}

/// The beginning of a text that is too long, which stays JSON where it is.
pub(super) fn fitted(shown: &str, bytes: usize) -> Option<Written> {
    if !is_structured(shown) {
        let room = bytes.checked_sub(MARKER_BYTES)?;
        return Some(Written { json: cut(shown, usize::MAX, room), is_whole: false });
    }
    let mut draft = Draft::default();
    draft.value(Cow::Borrowed(shown));
    // So many numbers or keys that cutting texts is not enough: the beginning, as a string.
    let as_text = || Written { json: escaped(&cut_to(shown, bytes)), is_whole: false };
    fit::value(&draft, bytes).or_else(|| Some(as_text()).filter(|written| written.json.len() <= bytes))
}

/// `gen_ai.tool.call.result`
pub(super) fn result(shower: Shower<'_>, content: &ResultContent, bytes: usize) -> Option<Written> {
    let level = shower.policy.levels().of(Field::ToolResults);
    match content {
        ResultContent::Text(text) => value(shower, level, text, bytes),
        ResultContent::Parts(_) => fit::value(&part::response(shower, level, content, 0), bytes),
    }
}

fn unit(shower: Shower<'_>, said: Said, message: &Message, reason: Option<&str>) -> Unit {
    let mut parts = Draft::default();
    let levels = shower.policy.levels();
    let shown = message
        .parts
        .iter()
        .filter_map(|part| part::part(shower, classes::level(levels, said, message.role, part), part, 0));
    for (place, part) in shown.enumerate() {
        if place > 0 {
            parts.fixed(",");
        }
        parts.append(part);
    }
    Unit { whole: around(message.role, parts, reason), small: around(message.role, left_out(), reason) }
}

/// What stands for parts that do not fit even with their texts cut.
fn left_out() -> Draft {
    let mut draft = Draft::default();
    draft.fixed(r#"{"type":"truncated"}"#);
    draft
}

fn around(role: Role, parts: Draft, reason: Option<&str>) -> Draft {
    let mut draft = Draft::default();
    draft.fixed(r#"{"role":"#);
    draft.word(role.as_str());
    draft.fixed(r#","parts":["#);
    draft.append(parts);
    draft.fixed("]");
    if let Some(reason) = reason {
        draft.fixed(r#","finish_reason":"#);
        draft.word(reason);
    }
    draft.fixed("}");
    draft
}
