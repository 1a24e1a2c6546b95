//! How far one step is from another: what an alignment weighs.

use std::collections::HashMap;

use crate::event::CallKind;
use crate::replay::align::GAP;
use crate::replay::run::{Field, Siblings, Step, StepKind};

/// A step of another kind stands in its place: still nearer than an insertion beside a deletion.
const OTHER_KIND: u32 = 2 * GAP - 2;
/// Another tool was called.
const OTHER_TOOL: u32 = 14;
/// The most groups below a step that are looked at to see how much it is like another.
const LOOKED_AT: usize = 64;

/// What it costs that one step stands for another.
pub(super) fn of_steps(a: &Step, b: &Step, with_digests: bool) -> u32 {
    if a.id(with_digests) == b.id(with_digests) {
        return 0;
    }
    if a.kind != b.kind {
        return OTHER_KIND;
    }
    let differs = |field| a.told(field) != b.told(field);
    let content = |field| with_digests && differs(field);
    match a.kind {
        StepKind::Decision => {
            if content(Field::Action) {
                12
            } else {
                2
            }
        }
        StepKind::Call(CallKind::Tool) if differs(Field::Tool) => OTHER_TOOL,
        StepKind::Call(CallKind::Tool) => {
            if content(Field::Arguments) {
                7
            } else {
                2
            }
        }
        StepKind::Call(CallKind::Inference) => {
            let model = if differs(Field::Model) { 3 } else { 0 };
            2 + model + if content(Field::Output) { 4 } else { 0 }
        }
        StepKind::Call(CallKind::Turn) => 2 + if differs(Field::Agent) { 8 } else { 0 } + unlike(a, b, with_digests),
        _ => {
            if content(Field::Given) {
                8
            } else {
                3
            }
        }
    }
}

/// From 0 to 8: how little of what is below the one is below the other.
fn unlike(a: &Step, b: &Step, with_digests: bool) -> u32 {
    let ids =
        |step: &Step| -> Vec<u64> { step.below.iter().take(LOOKED_AT).map(|group| group.id(with_digests)).collect() };
    let (a, b) = (ids(a), ids(b));
    let longest = a.len().max(b.len());
    if longest == 0 {
        return 0;
    }
    ((longest - shared(&a, &b)) * 8 / longest) as u32
}

/// What it costs that one group stands for another.
pub(super) fn of_groups(a: &Siblings, b: &Siblings, with_digests: bool) -> u32 {
    if a.id(with_digests) == b.id(with_digests) {
        return 0;
    }
    match (&*a.steps, &*b.steps) {
        ([a], [b]) => of_steps(a, b, with_digests),
        (a, b) => {
            let ids = |steps: &[Step]| steps.iter().map(|step| step.id(with_digests)).collect::<Vec<_>>();
            let (longest, shared) = (a.len().max(b.len()), shared(&ids(a), &ids(b)));
            ((longest - shared) * OTHER_TOOL as usize / longest.max(1)).max(1) as u32
        }
    }
}

/// How many elements of the one have an equal in the other.
fn shared(a: &[u64], b: &[u64]) -> usize {
    let mut left: HashMap<u64, usize> = HashMap::with_capacity(a.len());
    a.iter().for_each(|id| *left.entry(*id).or_default() += 1);
    let take_one = |count: &mut usize| {
        let any = *count > 0;
        *count -= usize::from(any);
        any
    };
    b.iter().filter(|id| left.get_mut(id).is_some_and(take_one)).count()
}
