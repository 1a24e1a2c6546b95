//! The bodies of payloads that models saw or produced: requests, responses, checkpoints.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::Reason;
use super::items::Items;
use super::repeated::{Repeated, Walk};
use crate::event::shape;
use crate::event::{Attrs, Digest, Histories, Input, Measure, Output, ResultContent, Veiled};
use crate::semconv::{
    self, CACHE_READ_TOKENS, Field, INPUT_TOKENS, OUTPUT_TOKENS, PREVIOUS_RESPONSE_ID, REASONING_TOKENS, RESPONSE_ID,
};

/// The members of an object, each as it stands.
type Members<'a> = BTreeMap<String, &'a RawValue>;

/// In which shape histories are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// One item for each element of the provider's list, with all that is known of it.
    #[default]
    Items,
    /// Messages of form `c1`, as the recorder tells them.
    Messages,
}

/// Reads bodies, and remembers what comes again.
pub(super) struct Bodies {
    pub(super) items: Items,
    pub(super) form: Form,
    /// The system instructions and the tools are the same from request to request.
    last_setting: Option<([u8; 32], Measure, Option<Digest>)>,
    repeated: Repeated,
}

/// What a response says.
#[derive(Default)]
pub(super) struct Response {
    pub(super) output: Output,
    pub(super) attrs: Attrs,
}

impl Bodies {
    pub(super) fn new(items: Items) -> Self {
        Self { items, form: Form::Items, last_setting: None, repeated: Repeated::default() }
    }

    /// What a model was sent, and the parameters. What it extends stands before it, where that is there to be read.
    pub(super) fn request(&mut self, body: &[u8], prefix: Option<Prefix<'_>>) -> Result<(Input, Attrs), Reason> {
        let (members, told) = match self.told_again(body) {
            Some((members, input)) => (members, Some(input)),
            None => (members(body)?, None),
        };
        let list = members.get("input").or_else(|| members.get("messages"));
        if list.is_none() && told.is_none() {
            return Err(Reason::Shape);
        }
        let mut attrs = Attrs::default();
        if let Some(id) = members.get("previous_response_id").and_then(|id| text(id)) {
            attrs.set(PREVIOUS_RESPONSE_ID, self.items.label(&id));
        }
        parameters(&members, &mut attrs);
        if self.form == Form::Messages {
            let mut value: Value = serde_json::from_slice(body).map_err(|_| Reason::NotJson)?;
            if let Some(Prefix(prefix)) = prefix {
                put_before(&mut value, prefix)?;
            }
            let request = shape::request(value).ok_or(Reason::Shape)?;
            return Ok((self.items.telling().keyframe(&request), attrs));
        }
        let mut input = prefix.map_or_else(|| Ok(Input::default()), |Prefix(prefix)| self.list(prefix))?;
        let Input { items, facets, .. } = match (told, list) {
            (Some(told), _) => told,
            (None, Some(list)) => self.list(list)?,
            (None, None) => return Err(Reason::Shape),
        };
        input.items.extend(items);
        input.facets.extend(facets);
        (input.system, input.tools) = self.setting(&members);
        Ok((input, attrs))
    }

    /// The members of a request but its list of items, and the items of that: of all that the list before it held too,
    /// nothing is read again. Nothing where the request is not what requests are; then it is read whole.
    fn told_again<'a>(&mut self, body: &'a [u8]) -> Option<(Members<'a>, Input)> {
        if self.form != Form::Items {
            return None;
        }
        let mut walk = Walk { text: std::str::from_utf8(body).ok()?, at: 0 };
        let (mut members, mut is_read) = (Members::new(), false);
        walk.take(b'{')?;
        while walk.take(b'}').is_none() {
            if is_read || !members.is_empty() {
                walk.take(b',')?;
            }
            let name: String = serde_json::from_str(walk.value()?.get()).ok()?;
            walk.take(b':')?;
            if name == "input" && walk.peek() == Some(b'[') && !is_read {
                walk.at += self.repeated.read(walk.rest(), &mut self.items)?;
                is_read = true;
            } else if name == "input" && is_read {
                return None;
            } else {
                members.insert(name, walk.value()?);
            }
        }
        (walk.peek().is_none() && is_read).then(|| (members, self.repeated.input()))
    }

    /// What a model answered, whole or in part.
    pub(super) fn response(&mut self, body: &[u8]) -> Result<Response, Reason> {
        let members: Members<'_> = members(body)?;
        let mut response = Response::default();
        if let Some(id) = members.get("response_id").or_else(|| members.get("id")).and_then(|id| text(id)) {
            response.attrs.set(RESPONSE_ID, self.items.label(&id));
        }
        let usage = members.get("token_usage").or_else(|| members.get("usage"));
        if let Some(Ok(usage)) = usage.map(|usage| serde_json::from_str::<Value>(usage.get())) {
            tokens(&usage, &mut response.attrs);
        }
        let Some(list) = members.get("output_items").or_else(|| members.get("output")) else { return Ok(response) };
        if self.form == Form::Messages {
            let value: Value = serde_json::from_str(list.get()).map_err(|_| Reason::NotJson)?;
            let answer = shape::answer(Value::Object([("output".to_owned(), value)].into_iter().collect()));
            response.output = self.items.telling().answer(&answer, &[]);
            return Ok(response);
        }
        let Input { items, facets, blobs, .. } = self.list(list)?;
        let items = items
            .into_iter()
            .map(|item| Measure { digest: item.digest, length: item.length, ..Measure::default() })
            .collect();
        response.output = Output { items, blobs, facets, ..Output::default() };
        Ok(response)
    }

    /// The two histories of a compaction.
    pub(super) fn checkpoint(&mut self, body: &[u8]) -> Result<Histories<Veiled>, Reason> {
        let members: Members<'_> = members(body)?;
        let mut history = |name: &str| {
            let list = members.get(name).ok_or(Reason::Shape)?;
            if self.form == Form::Items {
                return self.list(list);
            }
            let messages = serde_json::from_str(list.get()).map_err(|_| Reason::NotJson)?;
            let request = shape::request(Value::Object([("input".to_owned(), messages)].into_iter().collect()));
            Ok(self.items.telling().keyframe(&request.ok_or(Reason::Shape)?))
        };
        Ok(Histories { replaced: history("input_history")?, replacement: history("replacement_history")? })
    }

    /// A list of items; a text is one item of the user.
    fn list(&mut self, list: &RawValue) -> Result<Input, Reason> {
        let elements: Vec<&RawValue> = match list.get().as_bytes().first() {
            Some(b'[') => serde_json::from_str(list.get()).map_err(|_| Reason::NotJson)?,
            Some(b'"') => vec![list],
            _ => return Err(Reason::Shape),
        };
        let mut input = Input::default();
        input.items.reserve_exact(elements.len());
        input.facets.reserve_exact(elements.len());
        for element in elements {
            let shown = self.items.read(element);
            input.items.push(shown.item);
            input.facets.push(Arc::clone(&shown.facet));
        }
        Ok(input)
    }

    fn setting(&mut self, members: &Members<'_>) -> (Measure, Option<Digest>) {
        let mut key = Sha256::new();
        let mut setting = serde_json::Map::new();
        for name in ["instructions", "tools"] {
            let member = members.get(name).map_or("null", |member| member.get());
            key.update((member.len() as u64).to_be_bytes());
            key.update(member);
        }
        let key: [u8; 32] = key.finalize().into();
        if let Some((_, system, tools)) = self.last_setting.as_ref().filter(|(known, ..)| *known == key) {
            return (system.clone(), *tools);
        }
        for name in ["instructions", "tools"] {
            if let Some(Ok(value)) = members.get(name).map(|member| serde_json::from_str(member.get())) {
                setting.insert(name.to_owned(), value);
            }
        }
        setting.insert("input".to_owned(), Value::Array(Vec::new()));
        let input = shape::request(Value::Object(setting))
            .map_or_else(Input::default, |request| self.items.telling().keyframe(&request));
        self.last_setting = Some((key, input.system.clone(), input.tools));
        (input.system, input.tools)
    }

    /// The digest and the length of a text that belongs to these classes.
    pub(super) fn text(&self, classes: &[Field], text: &str) -> Measure {
        self.items.telling().measured(classes, &ResultContent::Text(text.into()))
    }
}

/// A list of items that a request extends.
#[derive(Clone, Copy)]
pub(super) struct Prefix<'a>(&'a RawValue);

impl<'a> Prefix<'a> {
    /// It stands by itself, or in a request.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Reason> {
        let whole: &RawValue = serde_json::from_slice(body).map_err(|_| Reason::NotJson)?;
        if whole.get().starts_with('[') {
            return Ok(Self(whole));
        }
        let members: Members<'a> = members(body)?;
        let list = ["input", "messages", "items"].into_iter().find_map(|name| members.get(name).copied());
        list.filter(|list| list.get().starts_with('[')).map(Self).ok_or(Reason::Shape)
    }
}

fn put_before(request: &mut Value, prefix: &RawValue) -> Result<(), Reason> {
    let name = if request.get("input").is_some() { "input" } else { "messages" };
    let mut all: Vec<Value> = serde_json::from_str(prefix.get()).map_err(|_| Reason::NotJson)?;
    match request.get_mut(name).map(Value::take) {
        Some(Value::Array(more)) => all.extend(more),
        Some(text @ Value::String(_)) => all.push(text),
        _ => return Err(Reason::Shape),
    }
    if let Value::Object(request) = request {
        request.insert(name.to_owned(), Value::Array(all));
    }
    Ok(())
}

fn members(body: &[u8]) -> Result<Members<'_>, Reason> {
    serde_json::from_slice(body).map_err(|error| if error.is_data() { Reason::Shape } else { Reason::NotJson })
}

fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// The parameters of a request that are numbers or flags.
fn parameters(members: &Members<'_>, attrs: &mut Attrs) {
    let number = |name: &str| members.get(name).and_then(|value| serde_json::from_str::<Value>(value.get()).ok());
    for (name, attr) in [("temperature", semconv::TEMPERATURE), ("top_p", semconv::TOP_P)] {
        if let Some(value) = number(name).as_ref().and_then(Value::as_f64) {
            attrs.set(attr, value);
        }
    }
    if let Some(tokens) = number("max_output_tokens").as_ref().and_then(Value::as_i64) {
        attrs.set(semconv::MAX_TOKENS, tokens);
    }
    if let Some(stream) = number("stream").as_ref().and_then(Value::as_bool) {
        attrs.set(semconv::STREAM, stream);
    }
}

/// The tokens of a response. Less than none is none.
fn tokens(usage: &Value, attrs: &mut Attrs) {
    for (attr, name) in [
        (INPUT_TOKENS, "input_tokens"),
        (OUTPUT_TOKENS, "output_tokens"),
        (CACHE_READ_TOKENS, "cached_input_tokens"),
        (REASONING_TOKENS, "reasoning_output_tokens"),
    ] {
        if let Some(count) = usage.get(name).and_then(Value::as_i64) {
            attrs.set(attr, count.max(0));
        }
    }
}
