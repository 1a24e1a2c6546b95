//! Steps below one step: attempts of one request become one step, and steps that ran at the same time a set.

use std::collections::HashMap;

use bytestring::ByteString;

use super::{Field, StepKind, Told};
use crate::event::{At, Digest};

/// A step that has no place yet.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) kind: StepKind,
    pub(super) began: At,
    /// Where nobody told its end, or it was concluded, it says nothing of what ran beside it.
    pub(super) ended: Option<At>,
    pub(super) operation: Option<ByteString>,
    pub(super) has_failed: bool,
    pub(super) chain: Option<Digest>,
    pub(super) fields: Vec<(Field, Told)>,
    /// Which of the entries of the rollout it is, and which earlier attempts it stands for.
    pub(super) entries: Vec<usize>,
}

impl Draft {
    fn told(&self, field: Field) -> Option<&Told> {
        self.fields.iter().find(|(told, _)| *told == field).map(|(_, told)| told)
    }

    /// Whether it tries again what `earlier` failed at, where no operation says so.
    fn repeats(&self, earlier: &Self) -> bool {
        let same = |field| self.told(field).is_some() && self.told(field) == earlier.told(field);
        let same_request = match self.kind {
            StepKind::Call(crate::event::CallKind::Inference) => self.chain.is_some() && self.chain == earlier.chain,
            StepKind::Call(crate::event::CallKind::Tool) => same(Field::Tool) && same(Field::Arguments),
            _ => false,
        };
        earlier.has_failed && self.kind == earlier.kind && same_request
    }

    /// Takes a later attempt in: what came of that one counts.
    fn retried(&mut self, later: Self) {
        let retries = self.retries().saturating_add(later.retries()).saturating_add(1);
        let entries = std::mem::take(&mut self.entries);
        let began = self.began;
        *self = later;
        self.began = began;
        self.entries.splice(0..0, entries);
        match self.fields.iter_mut().find(|(field, _)| *field == Field::Retries) {
            Some((_, told)) => *told = Told::Int(retries),
            None => self.fields.push((Field::Retries, Told::Int(retries))),
        }
    }

    fn retries(&self) -> i64 {
        match self.told(Field::Retries) {
            Some(Told::Int(retries)) => *retries,
            _ => 0,
        }
    }
}

/// Attempts of one request, in order, become one step. O(n).
pub(super) fn fold(drafts: Vec<Draft>) -> Vec<Draft> {
    let mut folded: Vec<Draft> = Vec::with_capacity(drafts.len());
    let mut of_operation: HashMap<(StepKind, ByteString), usize> = HashMap::new();
    for draft in drafts {
        let key = draft.operation.clone().map(|operation| (draft.kind, operation));
        let known = key.as_ref().and_then(|key| of_operation.get(key)).copied();
        let last = folded.len().checked_sub(1);
        let before = known.or_else(|| last.filter(|last| folded.get(*last).is_some_and(|step| draft.repeats(step))));
        let place = match before.and_then(|place| folded.get_mut(place).map(|step| (place, step))) {
            Some((place, step)) => {
                step.retried(draft);
                place
            }
            None => {
                folded.push(draft);
                folded.len() - 1
            }
        };
        if let Some(key) = key {
            of_operation.insert(key, place);
        }
    }
    folded
}

/// Steps that ran at the same time, each beside each, become a set. The steps come in the order of their start.
pub(super) fn group(drafts: Vec<Draft>) -> Vec<Vec<Draft>> {
    let mut groups: Vec<Vec<Draft>> = Vec::new();
    // The earliest end in the last group: what begins before it runs beside all of them.
    let mut first_end: Option<At> = None;
    for draft in drafts {
        let beside = first_end.is_some_and(|end| before(draft.began, end));
        match groups.last_mut().filter(|_| beside) {
            Some(group) => {
                first_end = match (first_end, draft.ended) {
                    (Some(end), Some(ended)) => Some(if before(ended, end) { ended } else { end }),
                    _ => None,
                };
                group.push(draft);
            }
            None => {
                first_end = draft.ended;
                groups.push(vec![draft]);
            }
        }
    }
    groups
}

/// Whether the one came before the other: by the process' own counter where one process saw both.
fn before(one: At, other: At) -> bool {
    match (one.producer, other.producer, one.seq, other.seq) {
        (Some(of_one), Some(of_other), Some(one), Some(other)) if of_one == of_other => one < other,
        _ => one.time_unix_nano < other.time_unix_nano,
    }
}
