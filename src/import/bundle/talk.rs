//! The history of a thread as messages of form `c1`, as the recorder tells it.
//!
//! The elements of one answer are one message of the assistant, so an element says only together with those around it what
//! is said. Of a list that repeats the one before it, the messages that are the same are known.

use serde_json::value::RawValue;

use super::Reason;
use super::repeated::Elements;
use crate::event::{Histories, Input, Message, Part, Request, Role, Veiled};
use crate::import::session;
use crate::json::{Escapes, Node, Tape};
use crate::privacy::Policy;
use crate::privacy::conversation::{Conversation, Place};

/// What a thread said and was told, and how much of its last list that was.
pub(super) struct Talk {
    conversation: Conversation,
    said: Vec<Said>,
    /// The answer whose elements come now.
    open: Option<Vec<Part>>,
    /// How many elements there were.
    count: usize,
    /// Whether elements may be parts of a message.
    is_items: bool,
    tape: Tape,
}

/// A message of the list.
struct Said {
    /// How many elements there were by its end.
    end: usize,
    place: Place,
    is_answer: bool,
}

impl Talk {
    pub(super) fn new(policy: Policy) -> Self {
        let conversation = Conversation::new(policy, Vec::new());
        Self { conversation, said: Vec::new(), open: None, count: 0, is_items: true, tape: Tape::default() }
    }

    /// Begins anew with a list of items, or of messages, and with the instructions and the tools of this request.
    pub(super) fn begin(&mut self, setting: Request, is_items: bool) {
        (self.open, self.count, self.is_items) = (None, 0, is_items);
        self.said.clear();
        self.conversation.forget();
        self.conversation.begin(setting.system, setting.tools);
    }

    /// What a model is sent: what was added last, and what that goes on from.
    pub(super) fn request(&mut self) -> Input {
        self.flush();
        self.conversation.request()
    }

    /// The two histories of a compaction. What comes then goes on from neither.
    pub(super) fn histories(&mut self, replaced: Vec<Message>, replacement: Vec<Message>) -> Histories<Veiled> {
        self.conversation.forget_told();
        let [replaced, replacement] = [replaced, replacement].map(|messages| self.conversation.apart(messages));
        Histories { replaced, replacement }
    }

    fn say(&mut self, message: Message) {
        let is_answer = is_answer(message.role);
        let heard = self.conversation.telling().heard(message);
        self.conversation.push(heard);
        self.said.push(Said { end: self.count, place: self.conversation.place(), is_answer });
    }

    fn flush(&mut self) {
        if let Some(parts) = self.open.take() {
            self.say(Message { role: Role::Assistant, parts });
        }
    }
}

/// Whether several elements of this role may be one message.
fn is_answer(role: Role) -> bool {
    role == Role::Assistant
}

fn read(tape: &mut Tape, element: &RawValue) -> Message {
    let read = tape.read(element.get(), Escapes::Unescaped, session::item);
    read.unwrap_or_else(|_| session::not_understood(element.get()))
}

/// The messages of a list of items by itself; a text is one of `role`.
pub(super) fn messages(list: &str, role: Role) -> Result<Vec<Message>, Reason> {
    if list.starts_with('"') {
        return serde_json::from_str::<String>(list)
            .map(|text| vec![Message::text(role, text)])
            .map_err(|_| Reason::NotJson);
    }
    let (mut messages, mut tape) = (Vec::<Message>::new(), Tape::default());
    for element in elements(list)? {
        let message = read(&mut tape, element);
        match messages.last_mut().filter(|last| is_answer(last.role) && is_answer(message.role)) {
            Some(last) => last.parts.extend(message.parts),
            None => messages.push(message),
        }
    }
    Ok(messages)
}

/// Whether some of a list of messages are no messages of their own.
pub(super) fn has_items(list: &str) -> Result<bool, Reason> {
    let is_item =
        |node: Node<'_>| node.get("role").is_none() && node.get("type").is_some_and(|kind| kind.as_str().is_some());
    let mut tape = Tape::default();
    let mut elements = elements(list)?.into_iter();
    Ok(elements.any(|element| tape.read(element.get(), Escapes::Left, is_item).unwrap_or_default()))
}

impl Elements for Talk {
    fn keep<'t>(&mut self, count: usize, next: impl FnOnce() -> Option<&'t RawValue>) -> usize {
        self.open = None;
        let mut kept = self.said.partition_point(|said| said.end <= count);
        let last = kept.checked_sub(1).and_then(|last| self.said.get(last));
        // An answer that goes on is another message than it was.
        if self.is_items
            && last.is_some_and(|last| last.is_answer && last.end == count)
            && next().is_some_and(|next| is_answer(read(&mut self.tape, next).role))
        {
            kept -= 1;
        }
        let reached = |said: &Said| (said.end, said.place);
        let beginning = (0, self.conversation.beginning());
        let (mut end, mut place) = kept.checked_sub(1).and_then(|last| self.said.get(last)).map_or(beginning, reached);
        if !self.conversation.reaches(place) {
            (kept, (end, place)) = (0, beginning);
        }
        self.conversation.rewind(place);
        self.said.truncate(kept);
        self.count = end;
        end
    }

    fn add(&mut self, element: &RawValue) {
        let message = read(&mut self.tape, element);
        if self.is_items && is_answer(message.role) {
            self.open.get_or_insert_default().extend(message.parts);
            self.count += 1;
        } else {
            self.flush();
            self.count += 1;
            self.say(message);
        }
    }
}

/// The elements of a list; a text is one by itself.
pub(super) fn elements(list: &str) -> Result<Vec<&RawValue>, Reason> {
    let read = match list.as_bytes().first() {
        Some(b'[') => serde_json::from_str(list),
        Some(b'"') => serde_json::from_str(list).map(|text| vec![text]),
        _ => return Err(Reason::Shape),
    };
    read.map_err(|_| Reason::NotJson)
}
