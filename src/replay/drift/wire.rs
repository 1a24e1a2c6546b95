//! A difference as attributes: of a span event, or of a log record.

use bytestring::ByteString;

use super::{Difference, DifferenceKind, InputState};
use crate::event::{Attrs, CallKind};
use crate::reduce::Severity;
use crate::replay::run::{Field, Place, StepKind};
use crate::semconv::{
    Attr, FINDING_ACTUAL, FINDING_BASELINE_PLACE, FINDING_BASELINE_SPAN, FINDING_BASELINE_THREAD,
    FINDING_BASELINE_TRACE, FINDING_BASELINE_TURN, FINDING_CANDIDATE_PLACE, FINDING_CANDIDATE_SPAN,
    FINDING_CANDIDATE_THREAD, FINDING_CANDIDATE_TRACE, FINDING_CANDIDATE_TURN, FINDING_EXPECTED, FINDING_INPUT,
    FINDING_INTENDED, FINDING_KIND, FINDING_NAME, FINDING_PARAMETER, FINDING_POSITION, FINDING_SEVERITY, FINDING_SINCE,
    FINDING_STEP, FINDING_STEPS, lookup,
};

/// The names of one run's place.
struct Names {
    thread: Attr<ByteString>,
    turn: Attr<ByteString>,
    trace: Attr<ByteString>,
    span: Attr<ByteString>,
    place: Attr<Vec<i64>>,
}

const BASELINE: Names = Names {
    thread: FINDING_BASELINE_THREAD,
    turn: FINDING_BASELINE_TURN,
    trace: FINDING_BASELINE_TRACE,
    span: FINDING_BASELINE_SPAN,
    place: FINDING_BASELINE_PLACE,
};
const CANDIDATE: Names = Names {
    thread: FINDING_CANDIDATE_THREAD,
    turn: FINDING_CANDIDATE_TURN,
    trace: FINDING_CANDIDATE_TRACE,
    span: FINDING_CANDIDATE_SPAN,
    place: FINDING_CANDIDATE_PLACE,
};

impl Difference {
    /// It as attributes: digests, checked labels and numbers.
    pub fn to_attrs(&self) -> Attrs {
        let mut attrs = Attrs::default();
        attrs.set(FINDING_KIND, ByteString::from_static(self.kind.as_str()));
        attrs.set(FINDING_SEVERITY, ByteString::from_static(self.severity.as_str()));
        attrs.set(FINDING_STEP, self.step.as_str().into());
        attrs.set(FINDING_INPUT, ByteString::from_static(self.input.as_str()));
        attrs.set(FINDING_POSITION, self.position.map(int).to_vec());
        attrs.set(FINDING_STEPS, int(self.steps));
        if let Some(id) = self.kind.parameter() {
            attrs.set(FINDING_PARAMETER, ByteString::from_static(id.name().key));
        }
        if let Some(since) = self.since {
            attrs.set(FINDING_SINCE, int(since as u64));
        }
        for (attr, label) in [(FINDING_NAME, &self.name), (FINDING_INTENDED, &self.intended)] {
            label.iter().for_each(|label| attrs.set(attr, label.clone()));
        }
        for (attr, value) in [(FINDING_EXPECTED, &self.expected), (FINDING_ACTUAL, &self.actual)] {
            let parts = |value: &ByteString| value.split(',').map(ByteString::from).collect();
            value.iter().for_each(|value| attrs.set(attr, parts(value)));
        }
        for (names, place) in [(BASELINE, &self.baseline), (CANDIDATE, &self.candidate)] {
            place.iter().for_each(|place| put(&mut attrs, &names, place));
        }
        attrs
    }

    /// Reads what [`to_attrs`](Self::to_attrs) wrote. Nothing for attributes that tell no difference.
    pub fn from_attrs(attrs: &Attrs) -> Option<Self> {
        let parameter = attrs.text(FINDING_PARAMETER).and_then(lookup);
        let joined = |texts: Option<Vec<ByteString>>| {
            texts.map(|texts| ByteString::from(texts.iter().map(|text| &**text).collect::<Vec<_>>().join(",")))
        };
        let position: Vec<u64> = attrs.get(FINDING_POSITION)?.into_iter().map(number).collect::<Option<_>>()?;
        Some(Self {
            kind: kind(attrs.text(FINDING_KIND)?, parameter)?,
            severity: severity(attrs.text(FINDING_SEVERITY)?)?,
            step: step(attrs.text(FINDING_STEP)?)?,
            name: attrs.get(FINDING_NAME),
            expected: joined(attrs.get(FINDING_EXPECTED)),
            actual: joined(attrs.get(FINDING_ACTUAL)),
            baseline: place(attrs, &BASELINE),
            candidate: place(attrs, &CANDIDATE),
            position: position.try_into().ok()?,
            steps: number(attrs.get(FINDING_STEPS)?)?,
            input: input(attrs.text(FINDING_INPUT)?)?,
            since: attrs.get(FINDING_SINCE).and_then(|since| usize::try_from(since).ok()),
            intended: attrs.get(FINDING_INTENDED),
        })
    }
}

fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn number(int: i64) -> Option<u64> {
    u64::try_from(int).ok()
}

fn put(attrs: &mut Attrs, names: &Names, place: &Place) {
    attrs.set(names.thread, place.thread.clone());
    attrs.set(names.turn, place.turn.clone());
    attrs.set(names.place, vec![int(place.index), int(place.number), i64::from(place.depth)]);
    if let Some((trace, span)) = place.span {
        attrs.set(names.trace, trace.to_string().into());
        attrs.set(names.span, span.to_string().into());
    }
}

fn place(attrs: &Attrs, names: &Names) -> Option<Place> {
    let [index, step, depth] = <[i64; 3]>::try_from(attrs.get(names.place)?).ok()?;
    let trace = attrs.text(names.trace).and_then(|id| id.parse().ok());
    let span = attrs.text(names.span).and_then(|id| id.parse().ok());
    Some(Place {
        thread: attrs.get(names.thread)?,
        turn: attrs.get(names.turn)?,
        span: trace.zip(span),
        index: number(index)?,
        number: number(step)?,
        depth: u32::try_from(depth).ok()?,
    })
}

fn kind(word: &str, parameter: Option<crate::semconv::KeyId>) -> Option<DifferenceKind> {
    use DifferenceKind::{Deletion, Input, Insertion, Substitution};
    let own = [Insertion, Deletion, Substitution, Input].into_iter().find(|kind| kind.as_str() == word);
    own.or_else(|| Field::from_word(word, parameter).map(DifferenceKind::Field))
}

fn severity(word: &str) -> Option<Severity> {
    let all = [Severity::Info, Severity::Warning, Severity::Error, Severity::Critical];
    all.into_iter().find(|severity| severity.as_str() == word)
}

fn step(word: &str) -> Option<StepKind> {
    if word == StepKind::Decision.as_str() {
        return Some(StepKind::Decision);
    }
    CallKind::of_operation(word).map(StepKind::Call)
}

fn input(word: &str) -> Option<InputState> {
    [InputState::Same, InputState::Changed, InputState::Unknown].into_iter().find(|state| state.as_str() == word)
}
