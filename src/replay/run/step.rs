//! A step, and steps that ran at the same time.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bytestring::ByteString;
use rustc_hash::FxHasher;

use super::hashing::Hashing;
use super::{Field, Told};
use crate::event::{CallKind, Digest, SpanId, TraceId};

/// What kind of step it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StepKind {
    /// A call.
    Call(CallKind),
    /// What an agent decided to do.
    Decision,
}

impl StepKind {
    /// The word for it: a call's is its operation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call(kind) => kind.default_operation(),
            Self::Decision => "decision",
        }
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a step stands in its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its thread.
    pub thread: ByteString,
    /// Its turn.
    pub turn: ByteString,
    /// The span that tells of it.
    pub span: Option<(TraceId, SpanId)>,
    /// Which of the steps it is that stand below the same one, 0 first.
    pub index: u64,
    /// Which of all steps of the run it is, 0 first: a step stands before those below it.
    pub number: u64,
    /// How many steps it stands below.
    pub depth: u32,
}

/// One thing that a run did.
#[derive(Clone, Debug)]
pub struct Step {
    /// What kind of step.
    pub kind: StepKind,
    /// Where it stands.
    pub place: Place,
    /// What is compared of it, sorted by field.
    pub fields: Vec<(Field, Told)>,
    /// Of an inference: the chain digest of all that the model was sent.
    pub chain: Option<Digest>,
    /// That it is meant to differ from earlier runs, and the name of that change (`veilspan.replay.intended`).
    pub intended: Option<ByteString>,
    /// Whether it was answered from a recording, so that its duration says nothing.
    pub recorded: bool,
    /// What it led to: the calls inside it, the turns of the agents that it started.
    pub below: Vec<Siblings>,
    pub(in crate::replay) hashing: Arc<Hashing>,
    /// What it is, with digests and without, what is below it included.
    pub(in crate::replay) ids: [u64; 2],
}

impl Step {
    /// What it tells of a field.
    pub fn told(&self, field: Field) -> Option<&Told> {
        let place = self.fields.binary_search_by_key(&field, |(field, _)| *field).ok()?;
        self.fields.get(place).map(|(_, told)| told)
    }

    /// What a person calls it: the tool, the model, the agent.
    pub fn name(&self) -> Option<ByteString> {
        [Field::Tool, Field::Model, Field::Agent, Field::Approval]
            .into_iter()
            .find_map(|field| self.told(field))
            .map(Told::text)
    }

    /// How many steps it is with those below it.
    pub fn count(&self) -> u64 {
        1 + self.below.iter().flat_map(|group| &group.steps).map(Self::count).sum::<u64>()
    }

    /// Fixes what it is. Those below it are fixed already.
    pub(super) fn identify(&mut self) {
        self.ids = [true, false].map(|with_digests| {
            let mut hasher = FxHasher::default();
            self.kind.hash(&mut hasher);
            for (field, told) in self.fields.iter().filter(|(field, _)| field.identifies()) {
                field.hash(&mut hasher);
                hash(told, with_digests, &mut hasher);
            }
            for group in &self.below {
                hasher.write_u64(group.id(with_digests));
            }
            hasher.finish()
        });
    }

    pub(in crate::replay) fn id(&self, with_digests: bool) -> u64 {
        let [with, without] = self.ids;
        if with_digests { with } else { without }
    }
}

fn hash(told: &Told, with_digests: bool, hasher: &mut FxHasher) {
    match told {
        Told::Digest(digest) if with_digests => digest.hash(hasher),
        Told::Digests(digests) if with_digests => digests.hash(hasher),
        Told::Digest(_) => {}
        Told::Digests(digests) => digests.len().hash(hasher),
        Told::Label(label) => hash_label(label, with_digests, hasher),
        Told::Labels(labels) => labels.iter().for_each(|label| hash_label(label, with_digests, hasher)),
        Told::Int(number) => number.hash(hasher),
        // Numbers are compared within a tolerance: two that are nearly alike make no other step.
        Told::Double(_) => {}
        Told::Bool(flag) => flag.hash(hasher),
    }
}

fn hash_label(label: &ByteString, with_digests: bool, hasher: &mut FxHasher) {
    if with_digests || !is_digested(label) {
        label.hash(hasher);
    }
}

/// Whether a label was replaced by its digest, because it did not look like one.
pub(in crate::replay) fn is_digested(label: &str) -> bool {
    label.starts_with("id:")
}

/// Steps that ran at the same time, or one step. Their order says nothing.
#[derive(Clone, Debug)]
pub struct Siblings {
    /// The steps, at least one, in the order of their start.
    pub steps: Vec<Step>,
    ids: [u64; 2],
}

impl Siblings {
    pub(super) fn new(steps: Vec<Step>) -> Self {
        let ids = [true, false].map(|with_digests| {
            let mixed = |step: &Step| step.id(with_digests).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
            steps.iter().fold(steps.len() as u64, |sum, step| sum.wrapping_add(mixed(step)))
        });
        Self { steps, ids }
    }

    pub(in crate::replay) fn id(&self, with_digests: bool) -> u64 {
        let [with, without] = self.ids;
        if with_digests { with } else { without }
    }

    pub(super) fn first_number(&self) -> u64 {
        self.steps.first().map_or(0, |step| step.place.number)
    }
}
