//! States that a run can be taken up from: those that were told, and the end of each turn.

use std::collections::HashMap;

use bytestring::ByteString;

use super::{Cut, Recording};
use crate::event::{At, CallKind, Event, Key, Kind, MarkKind, Measure, Noted, Scope, Veiled};
use crate::semconv::{CHECKPOINT_CUT, CHECKPOINT_FRAMEWORK, CHECKPOINT_ID, CHECKPOINT_LABEL};

/// A state that a run can be taken up from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its id (`veilspan.checkpoint.id`); of the end of a turn `turn:` and the turn's id.
    pub id: ByteString,
    /// What made the state (`veilspan.checkpoint.framework`).
    pub framework: Option<ByteString>,
    /// A name for people (`veilspan.checkpoint.label`).
    pub label: Option<ByteString>,
    /// Where it was made.
    pub scope: Scope,
    /// When, and by whom.
    pub at: At,
    /// The agent's own data, where the checkpoint was told with any: its digest and length, and as much of it as was kept.
    pub data: Option<Measure>,
    /// The policy under which it was told (`veilspan.policy`).
    pub policy: Option<ByteString>,
    /// Up to where it reaches; nothing where nothing orders it. From such a one no run can be taken up.
    pub cut: Option<Cut>,
}

impl Recording {
    /// All checkpoints, in order. Of a call whose start is not known none counts.
    pub fn checkpoints(&self) -> Vec<Checkpoint> {
        let policies: HashMap<(&Scope, Key), &Option<ByteString>> = self
            .events()
            .iter()
            .filter_map(|event| match &event.kind {
                Kind::Opened(opened, _) => Some(((&*event.scope, event.key), &opened.policy)),
                _ => None,
            })
            .collect();
        let policy = |event: &Event<Veiled>| policies.get(&(&*event.scope, event.key)).copied();
        self.events().iter().filter_map(|event| checkpoint(event, policy(event)?.clone())).collect()
    }

    /// The checkpoint of an id. Where it was told more than once, the last counts.
    pub fn checkpoint(&self, id: &str) -> Option<Checkpoint> {
        self.checkpoints().into_iter().rfind(|checkpoint| checkpoint.id == id)
    }

    /// The last checkpoint before an observation, or at it.
    pub fn nearest_checkpoint(&self, at: At) -> Option<Checkpoint> {
        self.checkpoints().into_iter().rfind(|checkpoint| checkpoint.at <= at)
    }
}

fn checkpoint(event: &Event<Veiled>, policy: Option<ByteString>) -> Option<Checkpoint> {
    let scope = Scope::clone(&event.scope);
    match &event.kind {
        Kind::Marked(mark) if mark.kind == MarkKind::Checkpoint => {
            let said = mark.attrs.text(CHECKPOINT_CUT).and_then(|cut| Cut::parse(cut).ok());
            Some(Checkpoint {
                id: mark.attrs.get(CHECKPOINT_ID)?,
                framework: mark.attrs.get(CHECKPOINT_FRAMEWORK),
                label: mark.attrs.get(CHECKPOINT_LABEL),
                data: data(&mark.noted),
                policy,
                scope,
                at: event.at,
                cut: said.or_else(|| Cut::behind(event.at)),
            })
        }
        Kind::Closed(closed, _) if event.key.kind == CallKind::Turn && closed.outcome.is_some() => Some(Checkpoint {
            id: format!("turn:{}", scope.turn).into(),
            framework: None,
            label: None,
            data: None,
            policy,
            at: event.at,
            cut: Cut::behind(event.at),
            scope,
        }),
        _ => None,
    }
}

fn data(noted: &Noted<Veiled>) -> Option<Measure> {
    match noted {
        Noted::State(data) if *data != Measure::default() => Some(data.clone()),
        _ => None,
    }
}
