//! The facts of one rollout as the events that told them. What was shown of content is no fact: it is not among them.

use std::sync::Arc;

use super::item::{HistoriesFact, InputFact, OutputFact};
use super::observation::{CallTold, Closing, GivenFact, MarkFact, NotedFact, Opening, ReturnedFact};
use super::reading::Reading;
use super::rollout::RolloutFacts;
use crate::event::{
    At, Closed, Event, Facet, Given, Histories, Input, Item, Kind, Mark, Measure, Noted, Opened, Output, Returned,
    Scope, Source, Veiled,
};

impl RolloutFacts {
    /// What was told of its calls, in no order. Linear.
    pub fn events(&self) -> Vec<Event<Veiled>> {
        let reading = Reading::of_all(self);
        let mut events = Vec::new();
        for (thread, turn) in reading.turns() {
            let scope = Arc::new(Scope {
                tenant: self.key.tenant.clone(),
                rollout: self.key.rollout.clone(),
                thread: thread.clone(),
                turn: turn.clone(),
            });
            for (key, rows) in reading.calls(&thread, &turn) {
                let CallTold { openings, marks, closings } = reading.told(&rows);
                let openings = openings.into_iter().map(|one| reading.opening(one));
                let marks = marks.into_iter().map(|one| reading.mark(one));
                let closings = closings.into_iter().map(|one| reading.closing(one));
                let event = |(at, kind)| Event { scope: Arc::clone(&scope), key, at, source: Source::Otlp, kind };
                events.extend(openings.chain(marks).chain(closings).map(event));
            }
        }
        events
    }
}

impl Reading<'_> {
    fn opening(&self, one: Opening) -> (At, Kind<Veiled>) {
        let opened = Opened { span: one.span, attrs: one.attrs, links: one.links, policy: one.policy };
        (one.at, Kind::Opened(opened, self.given(one.given)))
    }

    fn mark(&self, one: MarkFact) -> (At, Kind<Veiled>) {
        (one.at, Kind::Marked(Mark { kind: one.kind, attrs: one.attrs, noted: self.noted(one.noted) }))
    }

    fn closing(&self, one: Closing) -> (At, Kind<Veiled>) {
        let (outcome, attrs, error, links) = (one.outcome, one.attrs, one.error, one.links);
        (one.at, Kind::Closed(Closed { outcome, attrs, error, links }, self.returned(one.returned)))
    }

    fn given(&self, given: GivenFact) -> Given<Veiled> {
        match given {
            GivenFact::Request(input) => Given::Request(self.input(*input)),
            GivenFact::Arguments(arguments) => Given::Arguments(arguments),
            GivenFact::Texts(texts) => Given::Texts(texts),
        }
    }

    fn returned(&self, returned: ReturnedFact) -> Returned<Veiled> {
        match returned {
            ReturnedFact::Answer(OutputFact { blobs, items }) => {
                let (items, facets) = self.items(&items);
                let measure = |item: Item| Measure { digest: item.digest, length: item.length, ..Measure::default() };
                let items = items.into_iter().map(measure).collect();
                Returned::Answer(Output { items, blobs, facets, ..Output::default() })
            }
            ReturnedFact::Result(result) => Returned::Result(result),
            ReturnedFact::Texts(texts) => Returned::Texts(texts),
        }
    }

    fn noted(&self, noted: NotedFact) -> Noted<Veiled> {
        match noted {
            NotedFact::Nothing => Noted::Nothing,
            NotedFact::Decision { action, alternatives } => Noted::Decision { action, alternatives },
            NotedFact::State(state) => Noted::State(state),
            NotedFact::Message(message) => Noted::Message(message),
            NotedFact::Histories(histories) => {
                let HistoriesFact { replaced, replacement } = *histories;
                let (replaced, replacement) = (self.input(replaced), self.input(replacement));
                Noted::Histories(Box::new(Histories { replaced, replacement }))
            }
        }
    }

    fn input(&self, input: InputFact) -> Input {
        let InputFact { prefix, chain, omitted, system, tools, blobs, items } = input;
        let (items, facets) = self.items(&items);
        Input { prefix, chain, omitted, system, tools, blobs, items, facets, ..Input::default() }
    }

    /// Items by their places, and what else is known of each, where that is known of all.
    fn items(&self, places: &[u32]) -> (Vec<Item>, Vec<Arc<Facet>>) {
        let (items, facets): (Vec<Item>, Vec<Option<Facet>>) = places.iter().map(|place| self.item(*place)).unzip();
        let facets: Option<Vec<Arc<Facet>>> = facets.into_iter().map(|facet| facet.map(Arc::new)).collect();
        (items, facets.unwrap_or_default())
    }
}
