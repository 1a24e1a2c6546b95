//! Whether content that was kept is all that there was.
//!
//! What is cut, left out or masked has a mark in its place, but whoever speaks may write the same: so a mark only raises the
//! question, and what the producer measured of the content answers it. A digest that is the same proves that nothing is
//! missing. Where the key is not known, equal lengths do, unless the policy had detectors mask: they may put something as long
//! in the place of what they hit.

use bytestring::ByteString;
use serde_json::{Value, json};

use crate::event::{Digest, Input, Item, Measure, Message, Output, Request, Shown, shape};
use crate::privacy::{Level, Levels, Policy, c1, levels_told};

/// What stands in the place of what was cut, left out or masked.
const MARKS: [&str; 5] = ["<truncated", r#""type":"truncated""#, "[redacted:", "<redacted", "<oversize len="];

/// The ways in which digests may have been made, at least one, and whether what is shown may be masked.
pub(super) struct Whole<'a> {
    hashers: &'a [c1::Hasher],
    masks: bool,
}

/// What is known of a content: as its producer measured it, or as it is shown.
#[derive(Clone, Copy)]
struct Known {
    digest: Option<Digest>,
    length: Option<u64>,
}

/// What is shown, as each hasher sees it, and which of it has a mark.
struct Seen {
    by_hasher: Vec<Vec<Known>>,
    marked: Vec<bool>,
}

impl<'a> Whole<'a> {
    /// By these hashers, of a call that was told under the policy `told` (`veilspan.policy`) and read under another.
    pub(super) fn new(hashers: &'a [c1::Hasher], told: Option<&ByteString>, read: Option<&Policy>) -> Self {
        let is_full = |levels: Levels| levels.least() == Level::Full;
        let told = told.and_then(|policy| levels_told(policy));
        let masks = !told.is_some_and(is_full) || read.is_some_and(|policy| !is_full(*policy.levels()));
        Self { hashers, masks }
    }

    /// Whether a request's messages are shown whole: those `told`, which are the last of all, and before them as many as were
    /// omitted.
    pub(super) fn messages(&self, input: &Input, told: &[Item]) -> bool {
        let measured = |hasher: &c1::Hasher, messages| {
            c1::request(hasher, &Request { messages, ..Request::default() }).items.iter().map(of_item).collect()
        };
        let told: Vec<Known> = told.iter().map(of_item).collect();
        self.list(&input.shown, measured).is_some_and(|seen| self.all(&seen, &told, input.omitted.unwrap_or(0)))
    }

    /// Whether an answer is shown whole.
    pub(super) fn answer(&self, output: &Output) -> bool {
        let measured = |hasher: &c1::Hasher, messages: Vec<Message>| {
            c1::answer(hasher, &messages).items.iter().map(of_measure).collect()
        };
        let told: Vec<Known> = output.items.iter().map(of_measure).collect();
        self.list(&output.shown, measured).is_some_and(|seen| self.all(&seen, &told, 0))
    }

    /// Whether system instructions are shown whole.
    pub(super) fn system(&self, shown: &Shown, told: &Measure) -> bool {
        let Some(content) = shown.content() else { return told.length.is_none_or(|length| length == 0) };
        let Ok(system) = serde_json::from_str::<Value>(content) else { return false };
        let parts = shape::genai::system(system);
        self.one(content, told, |hasher| Some(of_measure(&c1::system(hasher, &parts))))
    }

    /// Whether a text is shown whole: a tool's result, an agent's own data. What has parts is shown as JSON of them.
    pub(super) fn text(&self, told: &Measure) -> bool {
        let Some(content) = told.shown.content() else { return told.length.is_none_or(|length| length == 0) };
        let as_text = |hasher: &c1::Hasher| {
            Some(Known { digest: Some(c1::digest::text(hasher, content)), length: Some(content.len() as u64) })
        };
        let as_parts = |hasher: &c1::Hasher| {
            let response = serde_json::from_str::<Value>(content).ok().filter(Value::is_array)?;
            let message = json!([{"role": "tool", "parts": [{"type": "tool_call_response", "response": response}]}]);
            let request = Request { messages: shape::genai::messages(message), ..Request::default() };
            // The digest of the message is not that of its content, but the length is.
            let length = c1::request(hasher, &request).items.first()?.length;
            Some(Known { digest: None, length })
        };
        self.one(content, told, as_text) || self.one(content, told, as_parts)
    }

    /// What is shown of a list of messages; nothing where it is no list.
    fn list(&self, shown: &Shown, measured: impl Fn(&c1::Hasher, Vec<Message>) -> Vec<Known>) -> Option<Seen> {
        let content = shown.content()?;
        let Ok(Value::Array(list)) = serde_json::from_str(content) else { return None };
        let mut marked = Vec::new();
        if has_mark(content) {
            for message in &list {
                // A message with results of tools stands for several.
                let alone = shape::genai::messages(Value::Array(vec![message.clone()]));
                let count = self.hashers.first().map_or(0, |hasher| measured(hasher, alone).len());
                marked.extend(std::iter::repeat_n(has_mark(&message.to_string()), count));
            }
        }
        let list = Value::Array(list);
        let by_hasher = |hasher| measured(hasher, shape::genai::messages(list.clone()));
        Some(Seen { by_hasher: self.hashers.iter().map(by_hasher).collect(), marked })
    }

    fn one(&self, content: &str, told: &Measure, measured: impl Fn(&c1::Hasher) -> Option<Known>) -> bool {
        let by_hasher = self.hashers.iter().filter_map(|hasher| Some(vec![measured(hasher)?])).collect();
        self.all(&Seen { by_hasher, marked: vec![has_mark(content)] }, &[of_measure(told)], 0)
    }

    /// Whether all that was told is shown, and before it as many as were omitted.
    fn all(&self, seen: &Seen, told: &[Known], omitted: u64) -> bool {
        let Some(first) = seen.by_hasher.first() else { return false };
        let Some(before) = first.len().checked_sub(told.len()).filter(|before| *before as u64 >= omitted) else {
            return false;
        };
        seen.marked.iter().enumerate().filter(|(_, marked)| **marked).all(|(place, _)| {
            // What nobody has measured and has a mark is not known to be whole.
            let Some(told) = place.checked_sub(before).and_then(|place| told.get(place)) else { return false };
            let same_digest = |of: &Vec<Known>| of.get(place).is_some_and(|seen| seen.digest == told.digest);
            let is_proved = told.digest.is_some() && seen.by_hasher.iter().any(same_digest);
            let length = first.get(place).and_then(|seen| seen.length);
            is_proved || !self.masks && told.length.is_some() && length == told.length
        })
    }
}

/// Whether a text has a mark in it that stands for something which is missing, or looks like one.
fn has_mark(content: &str) -> bool {
    MARKS.iter().any(|mark| content.contains(mark))
}

fn of_item(item: &Item) -> Known {
    Known { digest: item.digest, length: item.length }
}

fn of_measure(measure: &Measure) -> Known {
    Known { digest: measure.digest, length: measure.length }
}
