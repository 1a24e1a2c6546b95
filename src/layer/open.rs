//! A call whose span is open, and the events that it becomes.

use std::sync::Arc;

use super::bridge::Carried;
use super::content::Content;
use super::heading::Heading;
use super::operation::Operation;
use super::page::Page;
use super::place::Place;
use super::site::Fields;
use super::spares;
use super::told::Told;
use crate::event::{
    At, CallId, CallKind, Event, Given, Key, KeyIdentity, Kind, Message, Outcome, ProducerId, Raw, RawAttrs, Returned,
    Scope, SpanIds,
};
use crate::intake::{Drop as Loss, Identity, Whole, closing, opening};
use crate::semconv::{ERROR_KIND, ERROR_TYPE, FINISH_REASONS, OPERATION_NAME};

/// A call and what its span has told so far, in memory that goes from one call to the next.
#[derive(Default)]
pub(super) struct Open {
    /// Nothing before the span has opened.
    pub(super) call: Option<Call>,
    pub(super) page: Page,
}

/// What is known of a call from its opening on.
pub(super) struct Call {
    pub(super) ids: SpanIds,
    pub(super) carried: Carried,
    /// Where it belongs; nothing where its own span is all that says it.
    pub(super) scope: Option<Arc<Scope>>,
    /// Whether its rollout is recorded. Where it is not, nothing is read, kept or handed in, and the context stays as it is,
    /// so that no other span becomes the child of one that nobody will see.
    pub(super) is_sampled: bool,
    pub(super) id: CallId,
    pub(super) opened: Moment,
    /// Whose order of events both moments are places in; nobody's where the call is not sampled.
    pub(super) producer: Option<ProducerId>,
    pub(super) fields: Fields,
    pub(super) end: Option<End>,
}

/// A time, and a place in the order of events.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) unix_nano: u64,
    pub(super) seq: u64,
}

/// How its span closed.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) closed: Moment,
    /// Its registry was dropped, or its layer was modified meanwhile.
    pub(super) is_abandoned: bool,
    /// A panic went through it.
    pub(super) panics: bool,
}

impl Call {
    /// Where the calls that are part of it belong.
    pub(super) fn scope(&mut self) -> &Arc<Scope> {
        let ids = self.ids;
        self.scope.get_or_insert_with(|| Identity::default().scope(None, ids))
    }

    /// What OpenTelemetry's context is told of it, if anything is.
    pub(super) fn place(&self) -> Option<Place> {
        let place = || Place { trace: self.ids.trace, span: self.ids.span, carried: self.carried.clone() };
        self.is_sampled.then(place)
    }

    fn events(mut self, page: &mut Page) -> Result<[Box<Event<Raw>>; 2], Loss> {
        let heading = std::mem::take(&mut page.heading);
        let mut told = page.read();
        let settled = heading.stated_operation().or_else(|| told.likely_kind().map(Operation::of_kind));
        let Some((kind, word)) = settled.and_then(Operation::call) else { return Err(Loss::UnmappedOperation) };
        let outcome = self.outcome(&heading, &told);
        let key = Key { kind, id: KeyIdentity::Call(self.id), occurrence: 0 };
        let ids = self.ids;
        let scope = self.scope();
        let (mut opens, mut closes) = (opening(scope, key, ids), closing(scope, key));
        (opens.at, closes.at) = (self.opened_at(), self.closed_at());
        if let (Kind::Opened(opened, given), Kind::Closed(closed, returned)) = (&mut opens.kind, &mut closes.kind) {
            told.take_attrs(&mut opened.attrs, &mut closed.attrs);
            opened.attrs.text(OPERATION_NAME, word);
            told.reasons.iter().for_each(|reason| closed.attrs.element(FINISH_REASONS, reason));
            self.tell_error(&heading, outcome, &mut closed.attrs);
            closed.outcome = Some(outcome);
            if let Some(content) = told.take_content() {
                let list = match returned {
                    Returned::Answer(answer) => std::mem::take(answer),
                    _ => Vec::new(),
                };
                (*given, *returned) = halves(kind, content, list);
            }
        }
        Ok([opens, closes])
    }

    pub(super) fn opened_at(&self) -> At {
        self.at(self.opened)
    }

    fn closed_at(&self) -> At {
        self.at(self.end.map_or(self.opened, |end| end.closed))
    }

    fn at(&self, Moment { unix_nano, seq }: Moment) -> At {
        At { time_unix_nano: unix_nano, producer: self.producer, seq: self.producer.map(|_| seq) }
    }

    fn panics(&self) -> bool {
        self.end.is_some_and(|end| end.panics)
    }

    fn outcome(&self, heading: &Heading, told: &Told) -> Outcome {
        let end = &heading.end;
        let says_so = end.has_error || end.has_exception;
        match end.outcome {
            // A library's own word for a failure is more exact than that there was one.
            Some(outcome) if outcome != Outcome::Completed => outcome,
            _ if says_so => Outcome::Failed,
            Some(outcome) if !self.panics() => outcome,
            _ if self.panics() || end.has_logged => Outcome::Failed,
            _ if self.end.is_none_or(|end| end.is_abandoned) => Outcome::Abandoned,
            _ if end.is_silent() && told.has_no_answer() && self.fields.tells_of_answers_alone() => Outcome::Abandoned,
            _ => Outcome::Completed,
        }
    }

    fn tell_error(&self, heading: &Heading, outcome: Outcome, attrs: &mut RawAttrs) {
        let own = heading.end.error_type.as_ref().map(|kind| kind.as_str());
        if let Some(kind) = own.or(self.panics().then_some("panic")).filter(|_| outcome != Outcome::Completed) {
            attrs.text(ERROR_TYPE, kind);
            attrs.text(ERROR_KIND, kind);
        }
    }
}

impl Whole for Open {
    fn opened_at(&self) -> At {
        self.call.as_ref().map_or(NEVER, Call::opened_at)
    }

    fn closed_at(&self) -> At {
        self.call.as_ref().map_or(NEVER, Call::closed_at)
    }

    fn bytes(&self) -> (usize, usize) {
        let (content, rest) = self.page.bytes();
        (content, rest + size_of_val(self))
    }

    fn drop_content(&mut self) {
        self.page.drop_content();
    }

    fn unfold(mut self: Box<Self>) -> Result<[Box<Event<Raw>>; 2], Loss> {
        let Self { call, page } = &mut *self;
        let events = call.take().map_or(Err(Loss::UnmappedOperation), |call| call.events(page));
        spares::give(self);
        events
    }
}

/// Of what never was a call.
const NEVER: At = At { time_unix_nano: 0, producer: None, seq: None };

/// What was given and returned, the latter as a list of messages in the memory of an empty one.
fn halves(kind: CallKind, content: Content, mut answer: Vec<Message>) -> (Given<Raw>, Returned<Raw>) {
    match kind {
        CallKind::Inference => {
            let request = content.into_inference(&mut answer);
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
