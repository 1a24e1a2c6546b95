//! What is told, as the events that it is.

use super::told::Told;
use super::{Drop, events};
use crate::event::{At, Event, Raw};

/// One event, or a call that has ended.
pub(super) enum Step {
    Event(Box<Event<Raw>>),
    Whole {
        opened_at: At,
        closed_at: At,
        /// The one that opens it and the one that closes it, or why there are none.
        events: Result<[Box<Event<Raw>>; 2], Drop>,
    },
}

impl Step {
    pub(super) fn of(told: Told) -> Self {
        match told {
            Told::Event(event) => Self::Event(event),
            Told::Whole(whole) => {
                let (opened_at, closed_at) = (whole.opened_at(), whole.closed_at());
                Self::Whole { opened_at, closed_at, events: whole.unfold() }
            }
        }
    }

    pub(super) fn events(&self) -> impl Iterator<Item = &Event<Raw>> {
        let events = match self {
            Self::Event(event) => std::slice::from_ref(event),
            Self::Whole { events, .. } => events.as_ref().map_or(&[][..], |events| events),
        };
        events.iter().map(|event| &**event)
    }

    /// Wipes them, and keeps their memory for later.
    pub(super) fn give(self) {
        match self {
            Self::Event(event) => events::give(event),
            Self::Whole { events, .. } => events.into_iter().flatten().for_each(events::give),
        }
    }
}
