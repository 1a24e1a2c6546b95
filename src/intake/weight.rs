//! What the content of an event weighs, and what is left of the event without it.

use crate::event::{Event, Given, Key, Kind, Message, Noted, Raw, RawText, Request, ResultContent, Returned};

/// The bytes that the content of an event keeps in memory.
pub(super) fn content_bytes(kind: &Kind<Raw>) -> usize {
    match kind {
        Kind::Opened(_, given) => match given {
            Given::Request(request) => request_bytes(request),
            Given::Arguments(arguments) => arguments.as_ref().map_or(0, RawText::held_bytes),
            Given::Texts(texts) => all_bytes(texts),
        },
        Kind::Marked(mark) => match &mark.noted {
            Noted::Nothing => 0,
            Noted::Decision { action, alternatives } => all_bytes(action) + all_bytes(alternatives),
            Noted::State(state) | Noted::Message(state) => all_bytes(state),
            Noted::Histories(histories) => request_bytes(&histories.replaced) + request_bytes(&histories.replacement),
        },
        Kind::Closed(closed, returned) => {
            let returned = match returned {
                Returned::Answer(answer) => answer.iter().map(Message::held_bytes).sum(),
                Returned::Result(result) => all_bytes(result),
                Returned::Texts(texts) => all_bytes(texts),
            };
            all_bytes(&closed.error) + returned
        }
        Kind::Learned(_) | Kind::Stated { .. } | Kind::Quarantined { .. } | Kind::Tick | Kind::Unknown { .. } => 0,
    }
}

fn request_bytes(request: &Option<Box<Request>>) -> usize {
    request.as_ref().map_or(0, |request| request.held_bytes())
}

fn all_bytes<'a>(texts: impl IntoIterator<Item = &'a ResultContent>) -> usize {
    texts.into_iter().map(ResultContent::held_bytes).sum()
}

/// Wipes what was said and keeps the call.
pub(super) fn drop_content(key: Key, kind: &mut Kind<Raw>) {
    match kind {
        Kind::Opened(_, given) => *given = Given::empty(key.kind),
        Kind::Marked(mark) => mark.noted = Noted::empty(mark.kind),
        Kind::Closed(closed, returned) => {
            closed.error = None;
            *returned = Returned::empty(key.kind);
        }
        Kind::Learned(_) | Kind::Stated { .. } | Kind::Quarantined { .. } | Kind::Tick | Kind::Unknown { .. } => {}
    }
}

/// What names, ids and numbers take, and the event itself.
pub(super) fn label_bytes(event: &Event<Raw>) -> usize {
    let attrs = match &event.kind {
        Kind::Opened(opened, _) => opened.attrs.held_bytes() + size_of_val(opened.links.as_slice()),
        Kind::Marked(mark) => mark.attrs.held_bytes(),
        Kind::Closed(closed, _) => closed.attrs.held_bytes() + size_of_val(closed.links.as_slice()),
        Kind::Learned(attrs) => attrs.held_bytes(),
        Kind::Stated { attrs, .. } => attrs.held_bytes(),
        Kind::Quarantined { .. } | Kind::Tick | Kind::Unknown { .. } => 0,
    };
    // Calls of one turn share their ids, so these count more than once: the bound holds all the more.
    size_of_val(event) + attrs + event.scope.held_bytes()
}

/// Leaves of each text no more than it takes to be no label.
pub(super) fn shorten_labels(kind: &mut Kind<Raw>) {
    match kind {
        Kind::Opened(opened, _) => opened.attrs.shorten(),
        Kind::Marked(mark) => mark.attrs.shorten(),
        Kind::Closed(closed, _) => closed.attrs.shorten(),
        Kind::Learned(attrs) | Kind::Stated { attrs, .. } => attrs.shorten(),
        Kind::Quarantined { .. } | Kind::Tick | Kind::Unknown { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::{At, CallKind, KeyIdentity, Scope, Source};

    #[test]
    fn the_ids_of_its_place_weigh_with_an_event() {
        let event = |id: &str| {
            let id = Scope::id(id);
            let scope = Scope { tenant: Some(id.clone()), rollout: id.clone(), thread: id.clone(), turn: id };
            let key = Key { kind: CallKind::Turn, id: KeyIdentity::None, occurrence: 0 };
            let at = At { time_unix_nano: 0, producer: None, seq: None };
            Event { scope: Arc::new(scope), key, at, source: Source::Recorder, kind: Kind::<Raw>::Tick }
        };
        let grown = label_bytes(&event(&"x".repeat(10_000))) - label_bytes(&event(""));
        assert_eq!(grown, 4 * 4096);
    }
}
