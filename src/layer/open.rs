//! A call whose span is open, and how it is handed in.

use std::sync::Arc;

use smallvec::SmallVec;
use tracing::Metadata;

use super::content::Content;
use super::operation::Operation;
use super::place::Place;
use super::slot::Slot;
use super::table::meaning;
use super::told::Told;
use crate::event::{
    At, CallId, CallKind, Closed, Event, Given, Key, KeyIdentity, Kind, Opened, Outcome, Raw, RawAttrs, Returned,
    Source, SpanIds,
};
use crate::intake::{Desk, Drop as Loss};
use crate::semconv::{ERROR_KIND, ERROR_TYPE, FINISH_REASONS, OPERATION_NAME, RESPONSE_ID, RESPONSE_MODEL};

/// A call whose span has not closed. Dropped without having been closed it is handed in as `abandoned`: its registry was
/// dropped, or its layer was modified meanwhile.
pub(super) struct Open {
    pub(super) desk: Arc<Desk>,
    pub(super) place: Place,
    pub(super) ids: SpanIds,
    pub(super) id: CallId,
    pub(super) at: At,
    /// Apart, because it is large and read into before the rest is known. Gone once it has been handed in; a call that is
    /// not sampled has none.
    pub(super) told: Option<Box<Told>>,
}

/// The calls of one span: one for each layer of ours that saw it.
#[derive(Default)]
pub(super) struct OpenCalls(SmallVec<[(usize, Open); 1]>);

impl OpenCalls {
    pub(super) fn add(&mut self, layer: usize, call: Open) {
        self.0.push((layer, call));
    }

    pub(super) fn get(&self, layer: usize) -> Option<&Open> {
        self.0.iter().find(|(other, _)| *other == layer).map(|(_, call)| call)
    }

    pub(super) fn get_mut(&mut self, layer: usize) -> Option<&mut Open> {
        self.0.iter_mut().find(|(other, _)| *other == layer).map(|(_, call)| call)
    }

    pub(super) fn remove(&mut self, layer: usize) -> Option<Open> {
        let place = self.0.iter().position(|(other, _)| *other == layer)?;
        Some(self.0.remove(place).1)
    }
}

impl Open {
    /// More has been told of it.
    pub(super) fn merge(&mut self, newer: Told) {
        if let Some(told) = &mut self.told {
            told.merge(newer);
        }
    }

    /// The span has closed.
    pub(super) fn close(mut self, metadata: &Metadata<'_>) {
        let says_nothing = self.told.as_ref().is_none_or(|told| told.says_nothing_of_its_end());
        let is_told = !says_nothing || !tells_of_answers_alone(metadata);
        self.hand_in(if is_told { Outcome::Completed } else { Outcome::Abandoned });
    }

    fn hand_in(&mut self, unless_told: Outcome) {
        let Some(mut told) = self.told.take() else { return };
        if !self.desk.span_closed() {
            self.desk.skip(self.at);
            return;
        }
        let Some(Operation::Call(kind, word)) = told.settled_operation() else {
            self.desk.count_lost(Loss::UnmappedOperation);
            self.desk.skip(self.at);
            return;
        };
        let (mut attrs, closed_attrs) = told.take_attrs();
        attrs.text(OPERATION_NAME, word);
        let closed = closed(&told, closed_attrs, unless_told);
        let opened = Opened { span: self.ids, attrs, links: Vec::new(), policy: None };
        let (given, returned) = match told.content.take() {
            Some(content) => halves(kind, *content),
            None => (Given::empty(kind), Returned::empty(kind)),
        };
        let (opened, closed) = (Kind::Opened(opened, given), Kind::Closed(closed, returned));
        // Both events are handed in now: what a span tells of its opening may come as late as its end.
        if self.desk.open_started(self.event(kind, self.at, opened)) {
            let now = self.desk.at(self.desk.now());
            self.desk.close(self.event(kind, now, closed));
        }
    }

    fn event(&self, call: CallKind, at: At, kind: Kind<Raw>) -> Box<Event<Raw>> {
        let key = Key { kind: call, id: KeyIdentity::Call(self.id), occurrence: 0 };
        Box::new(Event { scope: Arc::clone(&self.place.scope), key, at, source: Source::Recorder, kind })
    }
}

/// Whether a call site has fields for what every answer has, and none for that there was none. Where these and all others
/// of an answer are empty at the end, nobody has told how it ended: rig leaves the spans of refused requests so.
fn tells_of_answers_alone(metadata: &Metadata<'_>) -> bool {
    let mut has_answers = false;
    for field in metadata.fields() {
        match meaning(field.name()).map(|meaning| meaning.slot) {
            Some(Slot::End(_)) => return false,
            Some(Slot::Attr(id)) => has_answers |= [RESPONSE_ID.id(), RESPONSE_MODEL.id()].contains(&id),
            Some(Slot::FinishReasons) => has_answers = true,
            Some(Slot::Said(said)) => has_answers |= said.is_answer(),
            _ => {}
        }
    }
    has_answers
}

impl Drop for Open {
    fn drop(&mut self) {
        self.hand_in(Outcome::Abandoned);
    }
}

fn halves(kind: CallKind, content: Content) -> (Given<Raw>, Returned<Raw>) {
    match kind {
        CallKind::Inference => {
            let (request, answer) = content.into_inference();
            (Given::Request(request), Returned::Answer(answer))
        }
        CallKind::Tool => {
            let (arguments, result) = content.into_tool();
            (Given::Arguments(arguments), Returned::Result(result))
        }
        CallKind::Retrieval | CallKind::Memory => {
            let (given, found) = content.into_texts();
            (Given::Texts(given), Returned::Texts(found))
        }
        // Vectors are no content.
        CallKind::Embeddings => (Given::Texts(content.into_texts().0), Returned::empty(kind)),
        // What an agent was asked and answered stands on its inferences.
        _ => (Given::empty(kind), Returned::empty(kind)),
    }
}

fn closed(told: &Told, mut attrs: RawAttrs, unless_told: Outcome) -> Closed<Raw> {
    told.reasons.iter().for_each(|reason| attrs.element(FINISH_REASONS, reason));
    let end = &told.end;
    let says_so = end.has_error || end.has_exception;
    let panics = std::thread::panicking();
    let outcome = match end.outcome {
        // A library's own word for a failure is more exact than that there was one.
        Some(outcome) if outcome != Outcome::Completed => outcome,
        _ if says_so => Outcome::Failed,
        Some(outcome) if !panics => outcome,
        _ if panics || end.has_logged => Outcome::Failed,
        _ => unless_told,
    };
    let own = end.error_type.as_ref().map(|kind| kind.as_str());
    if let Some(kind) = own.or(panics.then_some("panic")).filter(|_| outcome != Outcome::Completed) {
        attrs.text(ERROR_TYPE, kind);
        attrs.text(ERROR_KIND, kind);
    }
    Closed { outcome: Some(outcome), attrs, ..Closed::default() }
}
