//! Content in the form that each attribute of the conventions has.

use super::fit::{Form, Gives, Unit};
use super::json::{Draft, is_structured};
use super::part;
use super::shower::Shower;
use crate::event::shape::Look;
use crate::event::{CallKind, Message, RawText, ResultContent, Role, ToolDefinition};
use crate::privacy::classes::{self, Said};
use crate::privacy::label::is_label;
use crate::privacy::level::Level;
use crate::privacy::measure::MAX_TOLD;
use crate::privacy::policy::OTHER;
use crate::semconv::Field;

/// What stands for a reason that nobody told.
const UNKNOWN: &str = "unknown";

/// What stands for parts that do not fit even with their texts cut.
pub(super) const TRUNCATED: &str = r#"{"type":"truncated"}"#;

/// `gen_ai.input.messages`: all messages, or the newest of them.
pub(super) fn input(shower: Shower<'_>, messages: &[Message]) -> Form<'static> {
    let units = messages.iter().map(|message| unit(shower, Said::ToModel, message, None)).collect();
    Form::List { units, gives: Gives::Oldest }
}

/// `gen_ai.output.messages`, each with the reason why it ended. The conventions (v1.41) require one.
pub(super) fn output(shower: Shower<'_>, messages: &[Message], reasons: &[&str]) -> Form<'static> {
    let reason = |place: usize| reasons.get(place).or(reasons.last()).copied().map_or(UNKNOWN, conventional);
    let units = messages.iter().enumerate();
    let units = units.map(|(place, message)| unit(shower, Said::ByModel, message, Some(reason(place)))).collect();
    Form::List { units, gives: Gives::Last }
}

/// The reasons that messages of this form tell, one for each, where any tells one.
pub(crate) fn told_reasons<'v>(messages: impl Look<'v>) -> Vec<String> {
    let reasons = || messages.as_array().into_iter().flatten().map(|message| message.get("finish_reason"));
    if reasons().all(|told| told.is_none()) {
        return Vec::new();
    }
    let reason = |reason: &str| if is_label(reason) { reason.to_owned() } else { OTHER.to_string() };
    reasons().map(|told| reason(told.and_then(Look::as_str).unwrap_or_default())).collect()
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
pub(super) fn system(shower: Shower<'_>, level: Level, parts: &[RawText]) -> Form<'static> {
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
    Form::List { units: parts.iter().map(unit).collect(), gives: Gives::Last }
}

/// `gen_ai.tool.definitions`
pub(super) fn tools(shower: Shower<'_>, level: Level, tools: &[ToolDefinition]) -> Form<'static> {
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
    Form::List { units: tools.iter().map(unit).collect(), gives: Gives::Last }
}

/// `gen_ai.tool.call.arguments` or `.result`: JSON stays JSON, and any other text is itself.
pub(super) fn value<'t>(shower: Shower<'_>, level: Level, text: &'t RawText) -> Form<'t> {
    Form::Text(shower.content(level, text))
}

/// `gen_ai.tool.call.result`, and what has its form.
pub(super) fn result<'t>(shower: Shower<'_>, level: Level, content: &'t ResultContent) -> Form<'t> {
    match content {
        ResultContent::Text(text) => value(shower, level, text),
        ResultContent::Parts(_) => Form::Value(part::response(shower, level, content, 0)),
    }
}

/// The texts that a call of any other kind was given, as one message: arguments of what it does, or what a user said.
pub(super) fn given(shower: Shower<'_>, kind: CallKind, contents: &[ResultContent]) -> Form<'static> {
    let classes = classes::given(kind);
    let level = shower.policy.levels().of_all(classes);
    let contents = contents.iter().take(MAX_TOLD);
    if classes.contains(&Field::ToolArguments) {
        let call = |content| part::call(shower, level, kind.default_operation(), content);
        return one(Role::Assistant, Draft::elements(contents.map(call)), None);
    }
    one(Role::User, Draft::elements(contents.flat_map(|content| part::said(shower, level, content))), None)
}

/// The texts that it returned, as one message: the result of what it does, or what was said.
pub(super) fn returned(shower: Shower<'_>, kind: CallKind, contents: &[ResultContent]) -> Form<'static> {
    let classes = classes::returned(kind);
    let level = shower.policy.levels().of_all(classes);
    let contents = contents.iter().take(MAX_TOLD);
    if classes.contains(&Field::ToolResults) {
        let answer = |content| part::answer(shower, level, content);
        return one(Role::Tool, Draft::elements(contents.map(answer)), Some(UNKNOWN));
    }
    let role = if classes.contains(&Field::Completions) { Role::Assistant } else { Role::User };
    let said = contents.flat_map(|content| part::said(shower, level, content));
    one(role, Draft::elements(said), Some(UNKNOWN))
}

fn one(role: Role, parts: Draft, reason: Option<&str>) -> Form<'static> {
    let unit = Unit { whole: around(role, parts, reason), small: around(role, left_out(), reason) };
    Form::List { units: vec![unit], gives: Gives::Last }
}

fn unit(shower: Shower<'_>, said: Said, message: &Message, reason: Option<&str>) -> Unit {
    let levels = shower.policy.levels();
    let level = |part| classes::level(levels, said, message.role, part);
    let parts = message.parts.iter().filter_map(|part| part::part(shower, level(part), part, 0));
    let parts = Draft::elements(parts);
    Unit { whole: around(message.role, parts, reason), small: around(message.role, left_out(), reason) }
}

fn left_out() -> Draft {
    let mut draft = Draft::default();
    draft.fixed(TRUNCATED);
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
