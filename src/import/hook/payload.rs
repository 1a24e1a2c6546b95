//! A hook's payload, as the agent writes it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::fact::{Fact, Hook, Veiled};
use super::response::Response;
use crate::event::{RawText, ResultContent};
use crate::import::session::{Loose, Object, Text, first_line, mended};
use crate::json::without_mark;
use crate::privacy::measure::Telling;
use crate::privacy::{Policy, Tally};
use crate::semconv::Field;

/// What is read of a payload. Nothing else of it is. Some fields have two spellings, and a payload may have both: each has a
/// member of its own, since serde refuses an alias beside its name.
#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow, default)]
    session_id: Text<'a>,
    #[serde(borrow, default, rename = "sessionId")]
    session_id_in_camel: Text<'a>,
    #[serde(borrow, default)]
    hook_event_name: Text<'a>,
    #[serde(borrow, default)]
    transcript_path: Text<'a>,
    #[serde(borrow, default)]
    agent_transcript_path: Text<'a>,
    #[serde(borrow, default)]
    turn_id: Text<'a>,
    #[serde(borrow, default)]
    prompt_id: Text<'a>,
    #[serde(borrow, default)]
    agent_id: Text<'a>,
    #[serde(borrow, default)]
    agent_type: Text<'a>,
    #[serde(borrow, default)]
    tool_name: Text<'a>,
    #[serde(borrow, default)]
    tool: Text<'a>,
    #[serde(borrow, default)]
    tool_use_id: Text<'a>,
    #[serde(borrow, default)]
    tool_input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_response: Option<&'a RawValue>,
    #[serde(borrow, default)]
    output: Option<&'a RawValue>,
    #[serde(default)]
    duration_ms: Loose<f64>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(default)]
    is_interrupt: Loose<bool>,
    #[serde(borrow, default)]
    prompt: Text<'a>,
    #[serde(borrow, default)]
    last_assistant_message: Text<'a>,
    #[serde(borrow, default)]
    last_agent_message: Text<'a>,
    #[serde(borrow, default)]
    permission_id: Text<'a>,
    #[serde(borrow, default)]
    permission: Object<Permission<'a>>,
    #[serde(borrow, default)]
    trigger: Text<'a>,
    #[serde(borrow, default)]
    model: Text<'a>,
}

#[derive(Deserialize)]
struct Permission<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
}

/// Reads a payload; nothing where it is no JSON object or names no session. `name` is the hook's, where the payload does
/// not tell it itself.
pub fn read(payload: &[u8], name: Option<&str>, time_unix_nano: u64, policy: &Policy) -> Option<Fact> {
    let payload = without_mark(payload);
    if payload.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let fact = |payload: &[u8]| fact(payload, name, time_unix_nano, policy);
    fact(payload).or_else(|| fact(&mended(payload)?))
}

fn fact(payload: &[u8], name: Option<&str>, time_unix_nano: u64, policy: &Policy) -> Option<Fact> {
    let told: Payload<'_> = serde_json::from_slice(payload).ok()?;
    let tally = Tally::default();
    let telling = Telling::new(policy, policy.hasher(), &tally);
    let label = |text: &Text<'_>| text.some().map(|text| policy.label(text).to_string());
    let own_name = |text: &Text<'_>| {
        let name = text.some()?.rsplit(['/', '\\']).next().filter(|name| !name.is_empty())?;
        Some(policy.label(name).to_string())
    };
    let measured = |class: Field, text: Option<RawText>| match text {
        Some(text) => Veiled::of(&telling.measured(&[class], &ResultContent::Text(text))),
        None => Veiled::default(),
    };
    let said = |class: Field, text: Option<&str>| measured(class, text.map(RawText::from));
    let either = |one: &Text<'_>, other: &Text<'_>| label(one).or_else(|| label(other));
    let hook = Hook::named(told.hook_event_name.some().or(name)?);
    let session = either(&told.session_id, &told.session_id_in_camel)?;
    // From here on nothing returns before this is wiped.
    let returned = told.tool_response.or(told.output).map(text);
    let response = Response::of(returned.as_deref().unwrap_or_default(), matches!(returned, Some(Cow::Owned(_))));
    let given = told.tool_input.or(told.input);
    let given = given.map(|input| telling.arguments(&RawText::from(input.get()))).unwrap_or_default();
    let permission = told.permission.0.as_ref().map(|permission| &permission.id);
    Some(Fact {
        time_unix_nano,
        hook,
        session,
        policy: policy.snapshot().to_string(),
        transcript: own_name(&told.agent_transcript_path).or_else(|| own_name(&told.transcript_path)),
        turn: either(&told.turn_id, &told.prompt_id),
        agent: label(&told.agent_id),
        agent_type: label(&told.agent_type),
        started: response.started().map(|agent| policy.label(agent).to_string()),
        tool: either(&told.tool_name, &told.tool),
        tool_id: label(&told.tool_use_id),
        duration_ms: told.duration_ms.0.filter(|millis| *millis >= 0.0).map(|millis| millis as u64),
        permission: label(&told.permission_id).or_else(|| permission.and_then(label)),
        trigger: label(&told.trigger),
        model: label(&told.model),
        is_interrupt: told.is_interrupt.0 == Some(true) || response.is_interrupted(),
        is_error: response.is_error(),
        prompt: said(Field::Prompts, told.prompt.get()),
        given: Veiled { digest: given.digest.map(|digest| digest.to_string()), length: given.length },
        given_exact: given.exact.map(|digest| digest.to_string()),
        failure: measured(Field::Errors, told.error.or(response.error()).and_then(error)),
        // Handed over last, so that it is wiped where it is measured.
        returned: measured(Field::ToolResults, returned.map(|text| RawText::from(text.into_owned()))),
        answered: said(Field::Completions, told.last_assistant_message.get().or(told.last_agent_message.get())),
    })
}

/// The text of a value: of a string what it holds, of anything else its JSON.
fn text(value: &RawValue) -> Cow<'_, str> {
    serde_json::from_str::<String>(value.get()).map_or_else(|_| Cow::Borrowed(value.get()), Cow::Owned)
}

/// The first line of what went wrong.
fn error(value: &RawValue) -> Option<RawText> {
    match serde_json::from_str::<Value>(value.get()).ok()? {
        Value::String(text) => first_line(&text),
        Value::Object(members) => first_line(members.get("message")?.as_str()?),
        _ => None,
    }
}
