//! A history that grows message by message, told piece by piece.
//!
//! What a recorder is given with each request, an importer sees once: so each message is hashed once, and an inference
//! carries the chain that it extends and the messages after it. Every sixteenth inference and the first after a history
//! was replaced is told whole, up to its newest 512 messages. Holds digests of those, and of those of the history that was
//! replaced last, since it may be gone back to; the messages themselves only until the next inference, and only where the
//! policy shows them.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::c1::{self, Chain, ItemWithBlobs};
use super::course::Course;
pub(crate) use super::course::Place;
use super::heard::{self, Heard};
use super::level::Level;
use super::measure::{MAX_TOLD, Telling};
use super::policy::Policy;
use super::tally::Tally;
use crate::event::{Digest, Histories, Input, Measure, Message, RawText, Request, ToolDefinition, Veiled};
use crate::semconv::Field;

/// Every so many inferences one is told whole.
const KEYFRAME_EVERY: u32 = 16;

/// The places of the calls that results may still come of: those of the newest calls, in two generations.
#[derive(Default)]
struct Calls {
    young: HashMap<String, u32>,
    old: HashMap<String, u32>,
}

impl Calls {
    /// Results follow their calls closely.
    const REMEMBERED: usize = 1 << 9;

    fn remember(&mut self, calls: Vec<(String, u32)>) {
        if self.young.len() >= Self::REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.extend(calls);
    }

    fn place(&self, call: &str) -> Option<u32> {
        self.young.get(call).or_else(|| self.old.get(call)).copied()
    }
}

/// A history of one thread.
#[allow(missing_debug_implementations)]
pub(crate) struct Conversation {
    policy: Policy,
    tally: Tally,
    calls: Calls,
    system: Vec<RawText>,
    system_told: Measure,
    tools: Vec<ToolDefinition>,
    tools_told: Option<Digest>,
    /// The newest ones.
    items: VecDeque<ItemWithBlobs>,
    /// The chain before the first message.
    first: Option<Digest>,
    place: Place,
    course: Course,
    /// How many branches there were, and whether the next message begins one.
    branches: u32,
    is_parted: bool,
    replaced: Option<Replaced>,
    /// Where the inference told last ended.
    told: Option<Place>,
    since_keyframe: u32,
    unsaid: Vec<Message>,
}

/// A history whose place another one took.
struct Replaced {
    items: VecDeque<ItemWithBlobs>,
    course: Course,
    place: Place,
}

impl Conversation {
    /// A history that begins with these instructions.
    pub(crate) fn new(policy: Policy, system: Vec<RawText>) -> Self {
        let mut conversation = Self {
            policy,
            tally: Tally::default(),
            calls: Calls::default(),
            system: Vec::new(),
            system_told: Measure::default(),
            tools: Vec::new(),
            tools_told: None,
            items: VecDeque::new(),
            first: None,
            place: Place::before_all(None),
            course: Course::new(),
            branches: 0,
            is_parted: true,
            replaced: None,
            told: None,
            since_keyframe: 0,
            unsaid: Vec::new(),
        };
        conversation.begin(system, Vec::new());
        conversation
    }

    /// Sets the instructions and the tools, if nothing has been said yet.
    pub(crate) fn begin(&mut self, system: Vec<RawText>, tools: Vec<ToolDefinition>) {
        if self.place.count > 0 {
            return;
        }
        let telling = self.telling();
        let mut told = c1::system(telling.any_hasher(), &system);
        let mut tools_told = c1::tools(telling.any_hasher(), &tools);
        let is_known = (told.digest.is_some() || system.is_empty()) && (tools_told.is_some() || tools.is_empty());
        if telling.hasher.is_none() {
            (told.digest, tools_told) = (None, None);
        }
        let is_hidden = telling.level(Field::System) == Level::None && !(system.is_empty() && tools.is_empty());
        let head = match telling.hasher {
            Some(hasher) if is_known && !is_hidden && telling.level(Field::Prompts) > Level::None => {
                Some(Chain::new(hasher, told.digest.as_ref(), tools_told.as_ref()).head())
            }
            _ => None,
        };
        (self.system_told, self.tools_told) = if is_hidden { (Measure::default(), None) } else { (told, tools_told) };
        let is_shown = heard::is_shown(&self.policy);
        (self.system, self.tools) = if is_shown { (system, tools) } else { (Vec::new(), Vec::new()) };
        (self.first, self.place) = (head, Place::before_all(head));
    }

    /// What may be told of content.
    pub(crate) fn telling(&self) -> Telling<'_> {
        Telling::new(&self.policy, self.policy.hasher(), &self.tally)
    }

    /// Adds a message.
    pub(crate) fn push(&mut self, heard: Heard) {
        if self.telling().level(Field::Prompts) == Level::None {
            return;
        }
        if self.is_parted && !heard.pieces.is_empty() {
            self.is_parted = false;
            self.branches = self.branches.saturating_add(1);
            self.course.part(self.branches, &mut self.place);
        }
        let Self { policy, tally, calls, items, place, .. } = self;
        let telling = Telling::new(policy, policy.hasher(), tally);
        let blobs_may_leave = telling.hasher.is_some() && telling.level(Field::Reasoning) > Level::None;
        calls.remember(heard.calls);
        for piece in heard.pieces {
            let (mut item, mut blobs) = piece.item(telling.any_hasher(), |call| calls.place(call));
            if telling.hasher.is_none() {
                item.digest = None;
            }
            if !blobs_may_leave {
                blobs.clear();
            }
            place.count += 1;
            place.head = match (telling.hasher, place.head, &item.digest) {
                (Some(hasher), Some(head), Some(digest)) => {
                    let mut chain = Chain::resume(hasher, head);
                    chain.push(item.role, digest);
                    Some(chain.head())
                }
                _ => None,
            };
            if items.len() == MAX_TOLD {
                items.pop_front();
            }
            items.push_back((item, blobs));
        }
        self.unsaid.extend(heard.message);
    }

    /// What an inference is sent that begins now.
    pub(crate) fn request(&mut self) -> Input {
        self.since_keyframe += 1;
        let fresh =
            |told: &Place| self.place.count.checked_sub(told.count).filter(|new| *new <= self.items.len() as u64);
        let known = self.told.filter(|told| self.since_keyframe < KEYFRAME_EVERY && fresh(told).is_some());
        let new = known.as_ref().and_then(fresh).unwrap_or(self.items.len() as u64);
        let mut input = self.input(usize::try_from(new).unwrap_or(usize::MAX));
        let mut request = Request { messages: std::mem::take(&mut self.unsaid), ..Request::default() };
        match known {
            Some(told) => (input.prefix, input.omitted) = (told.head, None),
            None => {
                self.since_keyframe = 0;
                (input.system, input.tools) = (self.system_told.clone(), self.tools_told);
                request.system = std::mem::take(&mut self.system);
                request.tools = std::mem::take(&mut self.tools);
            }
        }
        self.told = Some(self.place).filter(|place| place.head.is_some());
        input = self.telling().shown_input(&request, input);
        if known.is_none() {
            (self.system, self.tools) = (request.system, request.tools);
        }
        input
    }

    /// The newest of the messages, as a keyframe tells them.
    fn input(&self, newest: usize) -> Input {
        let first = self.items.len().saturating_sub(newest);
        let omitted = self.place.count.saturating_sub(newest as u64);
        Input {
            chain: self.place.head,
            items: self.items.iter().skip(first).map(|(item, _)| item.clone()).collect(),
            omitted: (omitted > 0).then_some(omitted),
            blobs: self.items.iter().skip(first).flat_map(|(_, blobs)| blobs.iter().copied()).take(MAX_TOLD).collect(),
            ..Input::default()
        }
    }

    /// Where it stands.
    pub(crate) const fn place(&self) -> Place {
        self.place
    }

    /// Where it stood before the first message.
    pub(crate) const fn beginning(&self) -> Place {
        Place::before_all(self.first)
    }

    /// How many messages there are.
    pub(crate) const fn count(&self) -> u64 {
        self.place.count
    }

    /// Goes back to where it stood before. What was said since is no part of it any more. Where that was on a branch that
    /// was left, or in a history before the one that was replaced last, what was said before it is known by its chain alone.
    pub(crate) fn rewind(&mut self, place: Place) {
        if place == self.place {
            return;
        }
        if let Some(replaced) = self.replaced.take_if(|of| of.course.has_passed(&place, &of.place)) {
            (self.items, self.course, self.place) = (replaced.items, replaced.course, replaced.place);
        }
        if self.course.has_passed(&place, &self.place) {
            let gone = usize::try_from(self.place.count.saturating_sub(place.count)).unwrap_or(usize::MAX);
            self.items.truncate(self.items.len().saturating_sub(gone));
            self.course.cut(&place);
        } else {
            self.items.clear();
            self.course = Course::to(&place);
        }
        (self.place, self.is_parted) = (place, true);
        self.told = None;
        self.unsaid.clear();
    }

    /// Whether it can go back there, and tell the newest messages then as if it had not gone on.
    pub(crate) fn reaches(&self, place: Place) -> bool {
        let gone = self.place.count.saturating_sub(place.count);
        (self.items.len() as u64).saturating_sub(gone) >= place.count.min(MAX_TOLD as u64)
    }

    /// The next inference is told whole: what it is sent is no longer what the one before was sent and more.
    pub(crate) const fn forget_told(&mut self) {
        self.told = None;
    }

    /// Other messages than its own, as it would tell them whole.
    pub(crate) fn apart(&self, messages: Vec<Message>) -> Input {
        let mut other = Self::new(self.policy.clone(), Vec::new());
        (other.first, other.place) = (self.first, self.beginning());
        for message in messages {
            let heard = other.telling().heard(message);
            other.push(heard);
        }
        let request = Request { messages: std::mem::take(&mut other.unsaid), ..Request::default() };
        other.telling().shown_input(&request, other.input(other.items.len()))
    }

    /// Puts other messages into the place of all of them.
    pub(crate) fn replace(&mut self, messages: Vec<Message>) -> Histories<Veiled> {
        let replaced = self.input(self.items.len());
        self.restart();
        for message in messages {
            let heard = self.telling().heard(message);
            self.push(heard);
        }
        Histories { replaced, replacement: self.input(self.items.len()) }
    }

    /// Begins anew, with nothing to go back to.
    pub(crate) fn forget(&mut self) {
        self.restart();
        self.replaced = None;
    }

    /// Begins anew, before the first message.
    fn restart(&mut self) {
        let items = std::mem::take(&mut self.items);
        let course = std::mem::replace(&mut self.course, Course::new());
        let place = std::mem::replace(&mut self.place, Place::before_all(self.first));
        self.replaced = Some(Replaced { items, course, place });
        self.is_parted = true;
        self.unsaid.clear();
        self.told = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Part, ResultContent, Role};

    fn policy() -> Policy {
        Policy::builder().unkeyed_sha256().build()
    }

    fn call(id: &str) -> Part {
        Part::ToolCall { id: Some(id.into()), name: "t".into(), arguments: "{}".into() }
    }

    fn result(id: &str, text: &str) -> Message {
        let content = ResultContent::Text(text.into());
        Message { role: Role::Tool, parts: vec![Part::ToolResult { call_id: Some(id.into()), content }] }
    }

    fn say(history: &mut Conversation, message: Message) {
        let heard = history.telling().heard(message);
        history.push(heard);
    }

    fn script() -> Vec<Message> {
        vec![
            Message::text(Role::User, "one"),
            Message { role: Role::Assistant, parts: vec![call("a"), call("b")] },
            result("b", "two"),
            result("a", "three"),
            Message::text(Role::User, "four"),
        ]
    }

    #[test]
    fn a_history_that_grew_has_the_chain_of_one_that_was_given_whole() {
        let mut grown = Conversation::new(policy(), vec!["system".into()]);
        script().into_iter().for_each(|message| say(&mut grown, message));
        let request = Request { system: vec!["system".into()], messages: script(), ..Request::default() };
        let whole = grown.telling().keyframe(&request);
        assert_eq!(grown.request(), whole);
    }

    #[test]
    fn an_inference_tells_what_is_new_and_the_sixteenth_all() {
        let mut grown = Conversation::new(policy(), Vec::new());
        let mut before = None;
        for round in 0..40u64 {
            say(&mut grown, Message::text(Role::User, format!("{round}")));
            let input = grown.request();
            if round % 16 == 0 {
                assert_eq!((input.prefix, input.items.len() as u64), (None, round + 1));
            } else {
                assert_eq!((input.prefix, input.items.len()), (before, 1));
            }
            before = input.chain;
        }
    }

    #[test]
    fn a_history_that_went_back_is_told_whole() {
        let mut grown = Conversation::new(policy(), Vec::new());
        say(&mut grown, Message::text(Role::User, "one"));
        let (place, first) = (grown.place(), grown.request());
        say(&mut grown, Message::text(Role::User, "two"));
        grown.request();
        grown.rewind(place);
        let again = grown.request();
        assert_eq!((again.prefix, again.chain, again.items), (None, first.chain, first.items));
    }

    #[test]
    fn a_history_that_was_replaced_begins_anew() {
        let mut grown = Conversation::new(policy(), vec!["system".into()]);
        script().into_iter().for_each(|message| say(&mut grown, message));
        let histories = grown.replace(vec![Message::text(Role::User, "short")]);
        assert_eq!((histories.replaced.items.len(), histories.replacement.items.len()), (5, 1));
        let mut fresh = Conversation::new(policy(), vec!["system".into()]);
        say(&mut fresh, Message::text(Role::User, "short"));
        assert_eq!(grown.request(), fresh.request());
    }
}
