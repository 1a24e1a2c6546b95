//! Events of calls in memory that goes round: those that open one, and those that close one.
//!
//! An event comes back with everything in its place and nothing said, so that the next one is written over it piece by
//! piece, and never as a whole.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use super::spares::{Handful, Spares};
use crate::event::{
    At, Closed, Event, Given, Key, KeyIdentity, Kind, Link, Opened, Raw, RawAttrs, Request, Returned, Scope, Source,
    SpanIds,
};

thread_local! {
    static REQUESTS_AT_HAND: Handful<Box<Request>> = const { RefCell::new(Vec::new()) };
    static OPENINGS_AT_HAND: Handful<Box<Event<Raw>>> = const { RefCell::new(Vec::new()) };
    static CLOSINGS_AT_HAND: Handful<Box<Event<Raw>>> = const { RefCell::new(Vec::new()) };
}

/// Half a megabyte of events at the most.
static OPENINGS: Spares<Box<Event<Raw>>> = Spares::new(&OPENINGS_AT_HAND, 16, 512);
static CLOSINGS: Spares<Box<Event<Raw>>> = Spares::new(&CLOSINGS_AT_HAND, 16, 512);
static REQUESTS: Spares<Box<Request>> = Spares::new(&REQUESTS_AT_HAND, 16, 512);

/// A list that waits for the next call may have room for so many.
const KEPT: usize = 8;

/// A request in which nothing is said yet.
pub(crate) fn request() -> Box<Request> {
    REQUESTS.take().unwrap_or_default()
}

/// An event that opens a call of which nothing is said yet.
pub(crate) fn opening(scope: &Arc<Scope>, key: Key, span: SpanIds) -> Box<Event<Raw>> {
    if let Some(mut event) = OPENINGS.take()
        && let Kind::Opened(opened, given) = &mut event.kind
    {
        opened.span = span;
        match (&mut *given, Given::empty(key.kind)) {
            // Mostly the one before was of the same kind.
            (Given::Request(None), Given::Request(None)) => {}
            (given, empty) => *given = empty,
        }
        put_in(&mut event, scope, key);
        return event;
    }
    let opened = Opened { span, attrs: RawAttrs::default(), links: Vec::new(), policy: None };
    let kind = Kind::Opened(opened, Given::empty(key.kind));
    Box::new(Event { scope: Arc::clone(scope), key, at: UNKNOWN, source: Source::Recorder, kind })
}

/// An event that closes a call of which nothing is said yet.
pub(crate) fn closing(scope: &Arc<Scope>, key: Key) -> Box<Event<Raw>> {
    if let Some(mut event) = CLOSINGS.take()
        && let Kind::Closed(_, returned) = &mut event.kind
    {
        match (&mut *returned, Returned::empty(key.kind)) {
            // The list of an answer stays, with room in it.
            (Returned::Answer(_), Returned::Answer(_)) => {}
            (returned, empty) => *returned = empty,
        }
        put_in(&mut event, scope, key);
        return event;
    }
    let kind = Kind::Closed(Closed::default(), Returned::empty(key.kind));
    Box::new(Event { scope: Arc::clone(scope), key, at: UNKNOWN, source: Source::Recorder, kind })
}

/// Mostly the event was one of the same scope before, which then needs neither be shared nor let go.
fn put_in(event: &mut Event<Raw>, scope: &Arc<Scope>, key: Key) {
    if !Arc::ptr_eq(&event.scope, scope) {
        event.scope = Arc::clone(scope);
    }
    (event.key, event.at) = (key, UNKNOWN);
}

/// Not known yet.
const UNKNOWN: At = At { time_unix_nano: 0, producer: None, seq: None };

/// Wipes an event, and keeps its memory for later.
pub(super) fn give(mut event: Box<Event<Raw>>) {
    let spares = match &mut event.kind {
        Kind::Opened(opened, given) => {
            opened.attrs.clear();
            forget(&mut opened.links);
            match given {
                Given::Request(request) => request.take().into_iter().for_each(give_request),
                given => *given = Given::Texts(Vec::new()),
            }
            &OPENINGS
        }
        Kind::Closed(closed, returned) => {
            closed.attrs.clear();
            forget(&mut closed.links);
            (closed.outcome, closed.error) = (None, None);
            match returned {
                Returned::Answer(answer) if answer.capacity() <= KEPT => answer.clear(),
                returned => *returned = Returned::Texts(Vec::new()),
            }
            &CLOSINGS
        }
        // Of these there are few.
        _ => return,
    };
    // A long one must not be kept alive.
    if event.scope.held_bytes() > LONGEST_SCOPE {
        event.scope = Arc::clone(&NOWHERE);
    }
    event.key.id = KeyIdentity::None;
    spares.give(event);
}

/// Most requests have a few messages that are told: those of a long history are not kept.
fn give_request(mut request: Box<Request>) {
    let Request { system, tools, messages } = &mut *request;
    if system.capacity().max(tools.capacity()).max(messages.capacity()) <= KEPT {
        system.clear();
        tools.clear();
        messages.clear();
        REQUESTS.give(request);
    }
}

/// Most calls have none of them, and a few one.
fn forget(links: &mut Vec<Link>) {
    links.clear();
    links.shrink_to(KEPT);
}

/// What a scope that waits with its event for the next one may keep in memory.
pub(super) const LONGEST_SCOPE: usize = 512;

/// The scope of a call that has none yet.
pub(crate) static NOWHERE: LazyLock<Arc<Scope>> =
    LazyLock::new(|| Arc::new(Scope { tenant: None, rollout: "".into(), thread: "".into(), turn: "".into() }));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CallKind, EdgeKind, Message, Outcome, Role, SpanId, ToolDefinition, TraceId};
    use crate::semconv::{ERROR_KIND, REQUEST_MODEL};

    fn span() -> SpanIds {
        SpanIds { trace: TraceId::random(), span: SpanId::random(), parent: None, parent_is_remote: false }
    }

    fn key(kind: CallKind) -> Key {
        Key { kind, id: KeyIdentity::None, occurrence: 0 }
    }

    fn link() -> Link {
        Link { trace: TraceId::random(), span: SpanId::random(), kind: Some(EdgeKind::Retry) }
    }

    #[test]
    fn nothing_that_was_asked_or_answered_is_left_for_the_next() {
        let said = || Message::text(Role::User, "said");
        for messages in [1, 100] {
            let mut event = opening(&NOWHERE, key(CallKind::Inference), span());
            let Kind::Opened(_, given) = &mut event.kind else { panic!("another kind") };
            let mut asked = request();
            assert!(asked.messages.is_empty() && asked.system.is_empty() && asked.tools.is_empty());
            asked.messages.extend(std::iter::repeat_with(said).take(messages));
            asked.system.push("said".into());
            asked.tools.push(ToolDefinition { name: "said".into(), description: None, parameters: None });
            *given = Given::Request(Some(asked));
            give(event);
            let mut event = closing(&NOWHERE, key(CallKind::Inference));
            let Kind::Closed(_, Returned::Answer(answer)) = &mut event.kind else { panic!("another kind") };
            assert!(answer.is_empty());
            answer.extend(std::iter::repeat_with(said).take(messages));
            give(event);
        }
        let event = closing(&NOWHERE, key(CallKind::Retrieval));
        assert!(matches!(&event.kind, Kind::Closed(_, Returned::Texts(texts)) if texts.is_empty()));
    }

    #[test]
    fn nothing_of_one_call_is_left_for_the_next() {
        let texts = || vec![crate::event::ResultContent::Text("said".into())];
        for length in [10, 1000] {
            let mut event = opening(&NOWHERE, key(CallKind::Retrieval), span());
            let Kind::Opened(opened, given) = &mut event.kind else { panic!("another kind") };
            opened.attrs.text(REQUEST_MODEL, &"m".repeat(length));
            opened.links.push(link());
            *given = Given::Texts(texts());
            give(event);
            let mut event = closing(&NOWHERE, key(CallKind::Retrieval));
            let Kind::Closed(closed, returned) = &mut event.kind else { panic!("another kind") };
            closed.attrs.text(ERROR_KIND, &"e".repeat(length));
            closed.links.push(link());
            (closed.outcome, closed.error) = (Some(Outcome::Failed), texts().pop());
            *returned = Returned::Texts(texts());
            give(event);
            let ids = span();
            let event = opening(&NOWHERE, key(CallKind::Inference), ids);
            let Kind::Opened(opened, Given::Request(None)) = &event.kind else { panic!("another kind") };
            assert!(opened.span == ids && opened.attrs.is_empty() && opened.attrs.iter().next().is_none());
            assert!(opened.links.is_empty() && opened.policy.is_none());
            let event = closing(&NOWHERE, key(CallKind::Tool));
            let Kind::Closed(closed, Returned::Result(None)) = &event.kind else { panic!("another kind") };
            assert!(closed.attrs.is_empty() && closed.links.is_empty() && closed.error.is_none());
            assert_eq!(closed.outcome, None);
        }
    }
}
