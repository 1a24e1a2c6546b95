//! A call between its two events, as the pipeline keeps it. Many may be open, and for long, so it has no room yet for what
//! only its end will tell.

use std::sync::Arc;

use super::records;
use crate::event::{At, CallRecord, Given, Key, OpenRecord, Opened, Scope, Veiled};
use crate::privacy::Policy;

/// What a call's opened event told, until its closed event comes.
pub(super) struct OpenCall {
    told: Told,
    /// What held when it opened.
    pub(super) then: Then,
}

/// What held when a call opened.
pub(super) struct Then {
    /// The losses that had happened when it was veiled.
    pub(super) losses: u64,
    /// The policy under which it was veiled.
    pub(super) policy: Policy,
}

enum Told {
    Opened {
        scope: Arc<Scope>,
        at: At,
        opened: Opened<Veiled>,
        /// Most calls that are no inferences are given nothing.
        given: Option<Box<Given<Veiled>>>,
    },
    /// Of a call of which more was told since. The close is still missing.
    More(Box<CallRecord<Veiled>>),
}

impl OpenCall {
    pub(super) fn new(
        scope: Arc<Scope>,
        at: At,
        (opened, given): (Opened<Veiled>, Option<Box<Given<Veiled>>>),
        then: Then,
    ) -> Self {
        Self { told: Told::Opened { scope, at, opened, given }, then }
    }

    /// When it opened.
    pub(super) const fn opened_at(&self) -> At {
        match &self.told {
            Told::Opened { at, .. } => *at,
            Told::More(record) => record.opened_at,
        }
    }

    /// What is told of the call of this key while it is open.
    pub(super) fn open_record(&self, key: Key) -> OpenRecord {
        let (scope, at, opened) = match &self.told {
            Told::Opened { scope, at, opened, .. } => (scope, *at, opened),
            Told::More(record) => (&record.scope, record.opened_at, &record.opened),
        };
        OpenRecord { scope: Arc::clone(scope), key, at, opened: opened.clone() }
    }

    /// The record of the call of this key, whose end is still to come, and what held when it opened.
    pub(super) fn into_record(self, key: Key) -> (Box<CallRecord<Veiled>>, Then) {
        let record = match self.told {
            Told::Opened { scope, at, opened, given } => records::open(scope, key, at, opened, given),
            Told::More(record) => record,
        };
        (record, self.then)
    }

    /// The same call, with what `add` adds to its record.
    pub(super) fn with(self, key: Key, add: impl FnOnce(&mut CallRecord<Veiled>)) -> Self {
        let (mut record, then) = self.into_record(key);
        add(&mut record);
        Self { told: Told::More(record), then }
    }
}
