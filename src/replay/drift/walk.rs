//! Two runs walked side by side: aligned level by level, and compared step by step.
//!
//! What a difference follows from is told by digests where they are there: a model that was sent the same (by the chain
//! digest) and answers otherwise, and a tool that was called with the same and returns otherwise, are origins; whatever
//! comes after an origin follows from it, until a model is sent the same again.

use bytestring::ByteString;

use super::compare::{Compared, compare, severity};
use super::join::{Pair, join_siblings};
use super::{Difference, DifferenceKind, InputState, Report, Row, cost, siblings};
use crate::event::CallKind;
use crate::reduce::Severity;
use crate::replay::align::{Op, align};
use crate::replay::run::{Field, Run, Siblings, Step, StepKind, Told};

pub(super) fn walk(baseline: &Run, candidate: &Run) -> Report {
    let report = Report {
        rollouts: [baseline.rollout.clone(), candidate.rollout.clone()],
        steps: [baseline.count, candidate.count],
        ..Report::default()
    };
    let with_digests = baseline.compares_digests(candidate);
    let edge = Edge { baseline: baseline.may_go_on(), candidate: candidate.may_go_on() };
    let mut walk = Walk { report, with_digests, since: None, intended: None, diverged: false };
    // With nothing to compare with, nothing was inserted.
    if baseline.count > 0 {
        walk.levels(&baseline.steps, &candidate.steps, edge);
    }
    walk.report
}

/// Which of the runs may still come to what it lacks here: this is its last known place.
#[derive(Clone, Copy)]
struct Edge {
    baseline: bool,
    candidate: bool,
}

struct Walk {
    report: Report,
    with_digests: bool,
    /// The difference that what comes next follows from.
    since: Option<usize>,
    /// The change that the step at hand, or one that it stands below, is meant to be part of.
    intended: Option<ByteString>,
    diverged: bool,
}

impl Walk {
    fn levels(&mut self, a: &[Siblings], b: &[Siblings], edge: Edge) {
        let ids = |level: &[Siblings]| -> Vec<u64> { level.iter().map(|group| group.id(self.with_digests)).collect() };
        let (of_a, of_b) = (ids(a), ids(b));
        let with_digests = self.with_digests;
        let mut weigh = |x: usize, y: usize| match (a.get(x), b.get(y)) {
            (Some(a), Some(b)) => cost::of_groups(a, b, with_digests),
            _ => u32::MAX / 4,
        };
        let script = align(&of_a, &of_b, &mut weigh);
        self.report.approximate |= script.approximate;
        let mut pairs = Vec::new();
        for op in script.ops {
            match op {
                Op::Pair(x, y) => {
                    if let (Some(a), Some(b)) = (a.get(x), b.get(y)) {
                        self.groups(a, b, &mut pairs);
                    }
                }
                Op::Delete(x) => {
                    pairs.extend(steps_of(a, x).map(|step| (Pair::Deleted(step), a.get(x).is_some_and(is_set))))
                }
                Op::Insert(y) => {
                    pairs.extend(steps_of(b, y).map(|step| (Pair::Inserted(step), b.get(y).is_some_and(is_set))))
                }
            }
        }
        self.pairs(join_siblings(pairs, with_digests), edge);
    }

    /// Two sets of steps that ran at the same time.
    fn groups<'a>(&mut self, a: &'a Siblings, b: &'a Siblings, pairs: &mut Vec<(Pair<'a>, bool)>) {
        if let ([a], [b]) = (&*a.steps, &*b.steps) {
            return pairs.push((Pair::Both(a, b), false));
        }
        let pairing = siblings::pair(&a.steps, &b.steps, self.with_digests);
        self.report.approximate |= pairing.approximate;
        self.report.reordered += u64::from(pairing.reordered);
        let set = is_set(a) || is_set(b);
        let both = pairing.pairs.iter().filter_map(|(x, y)| Some(Pair::Both(a.steps.get(*x)?, b.steps.get(*y)?)));
        pairs.extend(both.map(|pair| (pair, set)));
        pairs.extend(pairing.deleted.iter().filter_map(|x| Some((Pair::Deleted(a.steps.get(*x)?), set))));
        pairs.extend(pairing.inserted.iter().filter_map(|y| Some((Pair::Inserted(b.steps.get(*y)?), set))));
    }

    fn pairs(&mut self, pairs: Vec<Pair<'_>>, edge: Edge) {
        // What stands after the last step of the one may still come in the other.
        let last = |is_there: fn(&Pair<'_>) -> bool| pairs.iter().rposition(is_there);
        let last_of_baseline = last(|pair| !matches!(pair, Pair::Inserted(_)));
        let last_of_candidate = last(|pair| !matches!(pair, Pair::Deleted(_)));
        let after = |place: usize, last: Option<usize>| last.is_none_or(|last| place > last);
        let at = |place: usize, last: Option<usize>| last == Some(place);
        let mut next = [0u64, 0u64];
        for (place, pair) in pairs.iter().enumerate() {
            match *pair {
                Pair::Both(a, b) => {
                    let edge = Edge {
                        baseline: edge.baseline && at(place, last_of_baseline),
                        candidate: edge.candidate && at(place, last_of_candidate),
                    };
                    self.both(a, b, edge);
                    next = [next[0].max(a.place.index + 1), next[1].max(b.place.index + 1)];
                }
                Pair::Deleted(a) => {
                    self.alone(a, true, next, edge.candidate && after(place, last_of_candidate));
                    next[0] = next[0].max(a.place.index + 1);
                }
                Pair::Inserted(b) => {
                    self.alone(b, false, next, edge.baseline && after(place, last_of_baseline));
                    next[1] = next[1].max(b.place.index + 1);
                }
            }
        }
    }

    /// A step that one of the runs does not have.
    fn alone(&mut self, step: &Step, deleted: bool, next: [u64; 2], pending: bool) {
        self.rows_below(step, deleted);
        let steps = step.count();
        if pending {
            self.report.pending += steps;
            return;
        }
        let place = Some(step.place.clone());
        let shown = Some(ByteString::from(described(step)));
        let intended = self.intended.clone().or_else(|| step.intended.clone().filter(|_| !deleted));
        let input = if self.since.is_some() { InputState::Changed } else { InputState::Unknown };
        let difference = Difference {
            kind: if deleted { DifferenceKind::Deletion } else { DifferenceKind::Insertion },
            severity: Severity::Warning,
            step: step.kind,
            name: step.name(),
            expected: shown.clone().filter(|_| deleted),
            actual: shown.filter(|_| !deleted),
            baseline: place.clone().filter(|_| deleted),
            candidate: place.filter(|_| !deleted),
            position: if deleted { [step.place.index, next[1]] } else { [next[0], step.place.index] },
            steps,
            input,
            since: self.since,
            intended,
        };
        self.found(difference);
    }

    fn rows_below(&mut self, step: &Step, deleted: bool) {
        let number = Some(step.place.number);
        let row = |of_baseline: bool| number.filter(|_| of_baseline);
        self.report.rows.push(Row { baseline: row(deleted), candidate: row(!deleted) });
        step.below.iter().flat_map(|group| &group.steps).for_each(|step| self.rows_below(step, deleted));
    }

    /// Two steps of which the one stands for the other.
    fn both(&mut self, a: &Step, b: &Step, edge: Edge) {
        let before = self.report.differences.len();
        let outer = self.intended.clone();
        let meant = b.intended.clone().filter(|change| a.intended.as_ref() != Some(change));
        self.intended = outer.clone().or(meant);
        self.report.rows.push(Row { baseline: Some(a.place.number), candidate: Some(b.place.number) });
        if a.kind == b.kind {
            self.fields(a, b, edge);
        } else {
            let expected = Some(ByteString::from(described(a)));
            let actual = Some(ByteString::from(described(b)));
            let input = if self.since.is_some() { InputState::Changed } else { InputState::Unknown };
            self.differs(
                a,
                b,
                DifferenceKind::Substitution,
                Severity::Critical,
                [expected, actual],
                (input, self.since),
            );
            self.levels(&a.below, &b.below, edge);
        }
        self.intended = outer;
        let is_leaf = a.below.is_empty() && b.below.is_empty();
        let same = self.report.differences.get(before..).unwrap_or_default().iter().all(|one| !one.is_drift());
        let synchronous = same && is_leaf && self.since.is_none_or(|_| self.sent_the_same(a, b) != Some(false));
        if synchronous && self.diverged && self.report.resync.is_none() {
            self.report.resync = Some([a.place.clone(), b.place.clone()]);
        }
    }

    /// Whether a model was sent the same; nothing where it cannot be told.
    fn sent_the_same(&self, a: &Step, b: &Step) -> Option<bool> {
        let (of_a, of_b) = (a.chain?, b.chain?);
        a.hashing.compares(&of_a, &b.hashing, &of_b).then_some(of_a == of_b)
    }

    fn fields(&mut self, a: &Step, b: &Step, edge: Edge) {
        let outside = self.since;
        let first = self.report.differences.len();
        let kind = a.kind;
        // What was asked of a model was chosen by the agent's code: it follows from nothing that was said.
        let is_inference = kind == StepKind::Call(CallKind::Inference);
        if is_inference {
            self.since = None;
        }
        self.half(a, b, true, InputState::Unknown, edge);
        let given_otherwise = self.origin_from(first);
        let mut input = self.input(a, b, given_otherwise.is_some());
        let cause = match input {
            InputState::Same => None,
            InputState::Changed | InputState::Unknown => given_otherwise.or(outside),
        };
        self.since = if is_inference { cause } else { given_otherwise.or(outside) };
        if is_inference && input == InputState::Changed && cause.is_none() {
            let shown = |step: &Step| step.chain.map(|chain| ByteString::from(chain.to_string()));
            let values = [shown(a), shown(b)];
            self.differs(a, b, DifferenceKind::Input, Severity::Warning, values, (InputState::Changed, None));
        }
        let cause = cause.or(self.since.filter(|_| input != InputState::Same));
        let inside = self.report.differences.len();
        self.levels(&a.below, &b.below, edge);
        let after = self.since;
        let from_inside = self.origin_from(inside);
        if from_inside.is_some() && input == InputState::Same {
            input = InputState::Changed;
        }
        self.since = from_inside.or(cause);
        let outputs = self.report.differences.len();
        self.half(a, b, false, input, edge);
        let differs = self.report.differences.get(outputs..).unwrap_or_default().iter().any(is_cause);
        if !differs {
            let is_call = matches!(kind, StepKind::Call(CallKind::Inference | CallKind::Tool));
            self.report.affected += u64::from(is_call && input == InputState::Changed);
            self.since = match kind {
                StepKind::Call(CallKind::Turn) => after,
                StepKind::Call(CallKind::Inference) => cause,
                // What it came to is the same whatever happened inside it. It clears nothing that came before: only a model
                // that is sent the same again does.
                _ => given_otherwise.or(outside),
            };
        }
    }

    fn input(&self, a: &Step, b: &Step, asked_otherwise: bool) -> InputState {
        if asked_otherwise {
            return InputState::Changed;
        }
        let told = |field| Some((a.told(field)?, b.told(field)?));
        let same = match a.kind {
            StepKind::Call(CallKind::Inference) => self.sent_the_same(a, b),
            StepKind::Call(CallKind::Tool) => told(Field::Arguments)
                .map(|(one, other)| compare(Field::Arguments, (one, &a.hashing), (other, &b.hashing)))
                .filter(|compared| *compared != Compared::NotComparable)
                .map(|compared| compared == Compared::Same),
            _ if self.since.is_some() => Some(false),
            _ => None,
        };
        match same {
            Some(true) => InputState::Same,
            Some(false) => InputState::Changed,
            None => InputState::Unknown,
        }
    }

    /// The origin of the differences from `first` on.
    fn origin_from(&self, first: usize) -> Option<usize> {
        let found = self.report.differences.get(first..).unwrap_or_default().iter().position(is_cause)?;
        let place = first + found;
        Some(self.report.differences.get(place).and_then(|one| one.since).unwrap_or(place))
    }

    /// Compares the fields that a step was given, or those that it came to.
    fn half(&mut self, a: &Step, b: &Step, given: bool, input: InputState, edge: Edge) {
        let side = |step: &Step| -> Vec<Field> {
            step.fields.iter().map(|(field, _)| *field).filter(|field| field.is_given() == given).collect()
        };
        let mut fields = side(a);
        fields.extend(side(b));
        fields.sort_unstable();
        fields.dedup();
        for field in fields {
            // A recording answers at once.
            if field == Field::Duration && (a.recorded || b.recorded) {
                continue;
            }
            let (one, other) = (a.told(field), b.told(field));
            let compared = match (one, other) {
                (Some(one), Some(other)) => compare(field, (one, &a.hashing), (other, &b.hashing)),
                (Some(told), None) | (None, Some(told)) if matches!(field, Field::Parameter(_)) => {
                    Compared::Differs(severity(field, told, told))
                }
                _ if field.may_be_missing() => Compared::Same,
                // The end of a call that has not ended is still to come.
                (Some(_), None) if edge.candidate && !given => Compared::Same,
                (None, Some(_)) if edge.baseline && !given => Compared::Same,
                _ => Compared::NotComparable,
            };
            match compared {
                Compared::Same => {}
                Compared::NotComparable => self.report.not_comparable += 1,
                Compared::Differs(severity) => {
                    let values = [one.map(Told::text), other.map(Told::text)];
                    self.differs(a, b, DifferenceKind::Field(field), severity, values, (input, self.since));
                }
            }
        }
    }

    fn differs(
        &mut self,
        a: &Step,
        b: &Step,
        kind: DifferenceKind,
        severity: Severity,
        [expected, actual]: [Option<ByteString>; 2],
        (input, since): (InputState, Option<usize>),
    ) {
        self.found(Difference {
            kind,
            severity,
            step: b.kind,
            name: b.name().or_else(|| a.name()),
            expected,
            actual,
            baseline: Some(a.place.clone()),
            candidate: Some(b.place.clone()),
            position: [a.place.index, b.place.index],
            steps: 1,
            input,
            since,
            intended: self.intended.clone(),
        });
    }

    fn found(&mut self, mut difference: Difference) {
        // What follows from a change that is meant is meant too.
        let cause = difference.since.and_then(|since| self.report.differences.get(since));
        if let Some(cause) = cause.filter(|_| difference.intended.is_none()) {
            difference.intended = cause.intended.clone();
        }
        if is_cause(&difference) && self.since.is_none() {
            self.since = Some(difference.since.unwrap_or(self.report.differences.len()));
        }
        self.diverged |= difference.is_drift();
        self.report.differences.push(difference);
    }
}

/// Whether other differences can follow from it. From time and cost none does.
fn is_cause(difference: &Difference) -> bool {
    difference.severity >= Severity::Warning
}

fn is_set(group: &Siblings) -> bool {
    group.steps.len() > 1
}

fn steps_of(level: &[Siblings], place: usize) -> impl Iterator<Item = &Step> {
    level.get(place).into_iter().flat_map(|group| &group.steps)
}

/// What a person calls a step.
fn described(step: &Step) -> String {
    match step.name() {
        Some(name) => format!("{} {name}", step.kind),
        None => step.kind.to_string(),
    }
}
