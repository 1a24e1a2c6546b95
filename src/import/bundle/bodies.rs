//! The bodies of payloads that models saw or produced: requests, responses, checkpoints.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytestring::ByteString;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::Reason;
use super::items::{Items, Shown, Shows};
use super::lists::{Listed, Lists};
use super::repeated::{Elements as _, Walk};
use super::talk::{Talk, elements, has_items, messages};
use crate::event::shape;
use crate::event::{Attrs, Digest, Histories, Input, Item, Measure, Output, Request, ResultContent, Role, Veiled};
use crate::privacy::Policy;
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
    /// Messages of form `c1`, as the recorder tells them: each once.
    Messages,
}

/// Reads bodies, and remembers what comes again.
pub(super) struct Bodies {
    pub(super) items: Items,
    pub(super) form: Form,
    policy: Policy,
    /// The system instructions and the tools are the same from request to request.
    last_setting: Option<(SettingKey, Measure, Option<Digest>)>,
    shown: Lists<Vec<Shown>>,
    /// And with which instructions and tools each began, where the next request may go on from it.
    talks: Lists<(Option<SettingKey>, Talk)>,
}

/// What a request calls its list of items.
const INPUT: &str = "input";
/// What stands before a history: instructions and tools.
const SETTING: [&str; 5] = ["instructions", "system", "system_instructions", "tools", "functions"];

/// What tells apart the instructions and tools of a request, and never leaves.
type SettingKey = [u8; 32];

/// What a response says.
#[derive(Default)]
pub(super) struct Response {
    pub(super) output: Output,
    pub(super) attrs: Attrs,
}

/// What a request goes on from, as its record tells it.
#[derive(Clone, Copy)]
pub(super) enum Extends<'a> {
    /// Nothing: it is whole.
    Nothing,
    /// A list that stands elsewhere. With that it is whole.
    List(Prefix<'a>),
    /// A response, which the record names.
    Response,
    /// Its body tells.
    Unsaid,
}

/// A request, looked through: its list of items, and its other members.
struct Looked<'a> {
    members: Members<'a>,
    list: &'a str,
}

impl Bodies {
    pub(super) fn new(policy: Policy) -> Self {
        let items = Items::new(policy.clone());
        Self { items, form: Form::Items, policy, last_setting: None, shown: Lists::new(), talks: Lists::new() }
    }

    /// What a model was sent in this thread, and the parameters.
    pub(super) fn request(
        &mut self,
        thread: &ByteString,
        body: &[u8],
        extends: Extends<'_>,
    ) -> Result<(Input, Attrs), Reason> {
        let (members, input) = match self.form {
            Form::Items => self.as_items(thread, body, extends)?,
            Form::Messages => self.as_messages(thread, body, extends)?,
        };
        let mut attrs = Attrs::default();
        if let Some(id) = previous(&members) {
            attrs.set(PREVIOUS_RESPONSE_ID, self.items.label(&id));
        }
        parameters(&members, &mut attrs);
        Ok((input, attrs))
    }

    fn as_items<'a>(
        &mut self,
        thread: &ByteString,
        body: &'a [u8],
        extends: Extends<'_>,
    ) -> Result<(Members<'a>, Input), Reason> {
        let mut listed = self.shown.take(thread, Vec::new);
        let mut shows = Shows { items: &mut self.items, shown: &mut listed.made };
        let looked = look(body, |list| listed.repeated.read(list, &mut shows));
        let mut input = Input::default();
        if let Extends::List(Prefix(prefix)) = extends {
            self.show(prefix.get(), &mut input)?;
        }
        let members = match looked {
            Some(Looked { members, .. }) => {
                listed.made.iter().for_each(|shown| add(shown, &mut input));
                members
            }
            None => {
                let members = members(body)?;
                self.show(list_of(&members).ok_or(Reason::Shape)?.1, &mut input)?;
                members
            }
        };
        self.shown.keep(listed);
        (input.system, input.tools) = self.setting(&members);
        Ok((members, input))
    }

    /// What the list before it told is not told again, but where the request goes on from something else.
    fn as_messages<'a>(
        &mut self,
        thread: &ByteString,
        body: &'a [u8],
        extends: Extends<'_>,
    ) -> Result<(Members<'a>, Input), Reason> {
        let mut listed = self.talks.take(thread, || (None, Talk::new(self.policy.clone())));
        let Listed { repeated, made: (known, talk), .. } = &mut listed;
        // A chain begins with the instructions, and those may stand behind the list.
        let looked = look(body, |list| match known {
            Some(_) => repeated.read(list, talk),
            None => Walk { text: list, at: 0 }.value().map(|list| list.get().len()),
        });
        let is_usual = looked.is_some();
        let (members, name, list) = match looked {
            Some(Looked { members, list }) => (members, INPUT, list),
            None => {
                let members = members(body)?;
                let (name, list) = list_of(&members).ok_or(Reason::Shape)?;
                (members, name, list)
            }
        };
        let key = setting_key(&members);
        let is_part = match extends {
            Extends::Nothing => false,
            Extends::List(_) | Extends::Response => true,
            Extends::Unsaid => previous(&members).is_some(),
        };
        if !is_usual || is_part || *known != Some(key) {
            repeated.forget();
            talk.begin(setting_of(&members), name == INPUT || has_items(list)?);
            if let Extends::List(Prefix(prefix)) = extends {
                elements(prefix.get())?.into_iter().for_each(|element| talk.add(element));
            }
            if is_part || !list.starts_with('[') {
                elements(list)?.into_iter().for_each(|element| talk.add(element));
            } else {
                repeated.read(list, talk).ok_or(Reason::NotJson)?;
            }
        }
        // Nothing goes on from a part.
        *known = Some(key).filter(|_| !is_part);
        let input = talk.request();
        self.talks.keep(listed);
        Ok((members, input))
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
        response.output = match self.form {
            Form::Items => {
                let mut input = Input::default();
                self.show(list.get(), &mut input)?;
                let measure = |item: Item| Measure { digest: item.digest, length: item.length, ..Measure::default() };
                let items = input.items.into_iter().map(measure).collect();
                Output { items, facets: input.facets, ..Output::default() }
            }
            Form::Messages => self.items.telling().answer(&messages(list.get(), Role::Assistant)?, &[]),
        };
        Ok(response)
    }

    /// The two histories of a compaction in this thread.
    pub(super) fn checkpoint(&mut self, thread: &ByteString, body: &[u8]) -> Result<Histories<Veiled>, Reason> {
        let members: Members<'_> = members(body)?;
        let list = |name: &str| members.get(name).map(|list| list.get()).ok_or(Reason::Shape);
        let (replaced, replacement) = (list("input_history")?, list("replacement_history")?);
        match self.form {
            Form::Items => {
                let mut histories = Histories { replaced: Input::default(), replacement: Input::default() };
                self.show(replaced, &mut histories.replaced)?;
                self.show(replacement, &mut histories.replacement)?;
                Ok(histories)
            }
            Form::Messages => {
                let mut listed = self.talks.take(thread, || (None, Talk::new(self.policy.clone())));
                let (_, talk) = &mut listed.made;
                let histories = talk.histories(messages(replaced, Role::User)?, messages(replacement, Role::User)?);
                self.talks.keep(listed);
                Ok(histories)
            }
        }
    }

    /// Adds the items of a list.
    fn show(&mut self, list: &str, input: &mut Input) -> Result<(), Reason> {
        let elements = elements(list)?;
        input.items.reserve(elements.len());
        input.facets.reserve(elements.len());
        elements.into_iter().for_each(|element| add(&self.items.read(element), input));
        Ok(())
    }

    fn setting(&mut self, members: &Members<'_>) -> (Measure, Option<Digest>) {
        let key = setting_key(members);
        if let Some((_, system, tools)) = self.last_setting.as_ref().filter(|(known, ..)| *known == key) {
            return (system.clone(), *tools);
        }
        let input = self.items.telling().keyframe(&setting_of(members));
        self.last_setting = Some((key, input.system.clone(), input.tools));
        (input.system, input.tools)
    }

    /// The digest and the length of a text that belongs to these classes.
    pub(super) fn text(&self, classes: &[Field], text: &str) -> Measure {
        self.items.telling().measured(classes, &ResultContent::Text(text.into()))
    }
}

fn add(shown: &Shown, input: &mut Input) {
    input.items.push(shown.item.clone());
    input.facets.push(Arc::clone(&shown.facet));
}

/// Looks through a request. `read` is given its list of items, and answers how long that is. Nothing where the request is
/// not what requests are; then it is read whole.
fn look<'a>(body: &'a [u8], mut read: impl FnMut(&'a str) -> Option<usize>) -> Option<Looked<'a>> {
    let mut walk = Walk { text: std::str::from_utf8(body).ok()?, at: 0 };
    let (mut members, mut list) = (Members::new(), None);
    walk.take(b'{')?;
    while walk.take(b'}').is_none() {
        if list.is_some() || !members.is_empty() {
            walk.take(b',')?;
        }
        let name: String = serde_json::from_str(walk.value()?.get()).ok()?;
        walk.take(b':')?;
        if name == INPUT && walk.peek() == Some(b'[') && list.is_none() {
            let length = read(walk.rest())?;
            list = walk.rest().get(..length);
            walk.at += length;
        } else if name == INPUT && list.is_some() {
            return None;
        } else {
            members.insert(name, walk.value()?);
        }
    }
    list.filter(|_| walk.peek().is_none()).map(|list| Looked { members, list })
}

/// The list of items of a request, and how it calls that.
fn list_of<'a>(members: &Members<'a>) -> Option<(&'static str, &'a str)> {
    [INPUT, "messages"].into_iter().find_map(|name| Some((name, members.get(name)?.get())))
}

/// What a request says that it goes on from.
fn previous(members: &Members<'_>) -> Option<String> {
    members.get("previous_response_id").and_then(|id| text(id))
}

fn setting_key(members: &Members<'_>) -> SettingKey {
    let mut key = Sha256::new();
    for name in SETTING {
        let member = members.get(name).map_or("null", |member| member.get());
        key.update((member.len() as u64).to_be_bytes());
        key.update(member);
    }
    key.finalize().into()
}

/// The instructions and the tools of a request.
fn setting_of(members: &Members<'_>) -> Request {
    let mut setting = serde_json::Map::new();
    for name in SETTING {
        if let Some(Ok(value)) = members.get(name).map(|member| serde_json::from_str(member.get())) {
            setting.insert(name.to_owned(), value);
        }
    }
    setting.insert(INPUT.to_owned(), Value::Array(Vec::new()));
    shape::request(Value::Object(setting)).unwrap_or_default()
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
