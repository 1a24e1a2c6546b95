//! Events of every kind that collide in everything: few ids, few times, few digests, few words. Any of them may be lost,
//! told twice, or told differently.

use std::sync::Arc;

use bytestring::ByteString;
use proptest::prelude::*;
use veilspan::event::{
    Arguments, At, Attrs, CallId, CallKind, Channel, Closed, EdgeKind, Event, Facet, Given, Histories, Input, Item,
    ItemKind, ItemPart, Key, KeyIdentity, Kind, Link, Mark, MarkKind, Measure, Noted, Opened, Outcome, Output,
    PartKind, ProducerId, Returned, Role, Scope, Source, SpanIds, Statement, Subject, Veiled,
};
use veilspan::reduce::{Effect, Facts, Limits, Reason, Reducer, Rollout, tree};
use veilspan::semconv::{
    AGENT_NAME, AGENT_PATH, APPROVAL_INDEX, CODE_CELL_ID, CODE_CELL_RUNTIME_ID, CODE_CELL_STATUS, COMPACTION_ID,
    CONNECTION_ID, EDGE_KIND, EDGE_THREAD, ERROR_KIND, EVIDENCE_REF, FINISH_REASONS, OPERATION_ID, PARENT_THREAD_ID,
    PREVIOUS_RESPONSE_ID, RESPONSE_ID, ROLLOUT_END, ROOT_THREAD_ID, RUNTIME_STATUS, SEGMENT, TERMINAL_ID, TOOL_CALL_ID,
    TOOL_NAME, TOOL_REQUESTER, WAIT_FOR,
};

use super::events::*;
use super::sound::is_sound;

/// Small numbers, one after the other; zeros where there are no more.
struct Dice(std::vec::IntoIter<u8>);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        usize::from(self.0.next().unwrap_or_default()) % count
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Nothing in most cases.
    fn rarely<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(4) == 1).then(|| make(self))
    }

    fn some<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    fn id(&mut self) -> ByteString {
        text(self.one(&["a", "b"]))
    }

    fn digest(&mut self) -> veilspan::event::Digest {
        digest(self.one(&[1, 2, 3, 4]))
    }

    fn measure(&mut self) -> Measure {
        Measure {
            digest: self.rarely(Self::digest),
            length: self.rarely(|dice| dice.below(3) as u64),
            ..Measure::default()
        }
    }

    fn facet(&mut self) -> Arc<Facet> {
        let part = |dice: &mut Self| ItemPart {
            kind: dice.one(PartKind::ALL),
            digest: (dice.below(4) > 0).then(|| dice.digest()),
            length: dice.below(2) as u64,
        };
        let mut parts = self.some(2, part);
        parts.sort_by_key(|part| part.kind);
        Arc::new(Facet {
            kind: self.one(ItemKind::ALL),
            channel: self.rarely(|dice| dice.one(Channel::ALL)),
            call_id: self.rarely(Self::id),
            name: self.rarely(Self::id),
            between: self.rarely(|dice| [dice.id(), dice.id()]),
            parts,
        })
    }

    fn item(&mut self) -> Item {
        Item {
            digest: (self.below(4) > 0).then(|| self.digest()),
            role: self.one(&[Role::User, Role::Assistant, Role::Tool]),
            length: self.rarely(|dice| dice.below(3) as u64 * 20),
            part_kinds: text(self.one(&["", "text"])),
        }
    }

    fn input(&mut self) -> Input {
        let items = self.some(4, Self::item);
        let facets = if self.below(2) == 0 { Vec::new() } else { items.iter().map(|_| self.facet()).collect() };
        Input {
            prefix: (self.below(4) > 0).then(|| self.digest()),
            chain: (self.below(8) > 0).then(|| self.digest()),
            omitted: self.rarely(|dice| dice.below(3) as u64),
            tools: self.rarely(Self::digest),
            items,
            facets,
            ..Input::default()
        }
    }

    fn history(&mut self) -> Input {
        let Input { chain, omitted, items, facets, .. } = self.input();
        Input { chain, omitted, items, facets, ..Input::default() }
    }

    fn attrs(&mut self) -> Attrs {
        let mut attrs = Attrs::default();
        for id in [
            TOOL_CALL_ID,
            TOOL_NAME,
            AGENT_NAME,
            CODE_CELL_ID,
            CODE_CELL_RUNTIME_ID,
            WAIT_FOR,
            COMPACTION_ID,
            CONNECTION_ID,
            OPERATION_ID,
            PREVIOUS_RESPONSE_ID,
            RESPONSE_ID,
            TERMINAL_ID,
            EDGE_THREAD,
            EVIDENCE_REF,
            AGENT_PATH,
            PARENT_THREAD_ID,
            ROOT_THREAD_ID,
        ] {
            self.rarely(Self::id).into_iter().for_each(|word| attrs.set(id, word));
        }
        for (id, words) in [
            (TOOL_REQUESTER, &["code_cell", "model"][..]),
            (CODE_CELL_STATUS, &["running", "yielded", "completed"][..]),
            (RUNTIME_STATUS, &["completed", "failed"][..]),
            (ERROR_KIND, &["approval_required", "other"][..]),
            (EDGE_KIND, &["spawn", "task", "message", "result", "close"][..]),
        ] {
            self.rarely(|dice| text(dice.one(words))).into_iter().for_each(|word| attrs.set(id, word));
        }
        for id in [SEGMENT, APPROVAL_INDEX] {
            self.rarely(|dice| dice.below(3) as i64).into_iter().for_each(|number| attrs.set(id, number));
        }
        let reason = self.rarely(|dice| vec![text(dice.one(&["stop", "tool_calls", "awaiting_approval"]))]);
        reason.into_iter().for_each(|reason| attrs.set(FINISH_REASONS, reason));
        attrs
    }

    fn at(&mut self) -> At {
        let producer = self.one(&[None, Some(1u128), Some(2)]).map(ProducerId::from);
        let seq = producer.map(|_| self.below(4) as u64);
        At { time_unix_nano: self.below(8) as u64 * SECOND / 2, producer, seq }
    }

    fn ids(&mut self) -> SpanIds {
        let (number, parent) = (self.below(6) as u64, self.rarely(|dice| span(dice.below(6) as u64)));
        SpanIds { trace: trace(self.one(&[1, 2])), span: span(number), parent, parent_is_remote: false }
    }

    fn link(&mut self) -> Link {
        let kind = self.rarely(|dice| dice.one(&EdgeKind::ALL));
        Link { trace: trace(self.one(&[1, 2])), span: span(self.below(6) as u64), kind }
    }

    fn opened(&mut self, kind: CallKind, span: SpanIds) -> Kind<Veiled> {
        let given = match Given::<Veiled>::empty(kind) {
            Given::Request(_) => Given::Request(self.input()),
            Given::Arguments(_) => {
                Given::Arguments(Arguments { digest: self.rarely(Self::digest), ..Arguments::default() })
            }
            _ => Given::Texts(self.some(2, Self::measure)),
        };
        let policy = self.rarely(Self::id);
        Kind::Opened(Opened { span, attrs: self.attrs(), links: self.some(1, Self::link), policy }, given)
    }

    fn marked(&mut self) -> Kind<Veiled> {
        let kind = self.one(&MarkKind::ALL);
        let noted = match Noted::<Veiled>::empty(kind) {
            Noted::Decision { .. } => {
                Noted::Decision { action: self.measure(), alternatives: self.some(2, Self::measure) }
            }
            Noted::State(_) => Noted::State(self.measure()),
            Noted::Message(_) => Noted::Message(self.measure()),
            Noted::Histories(_) => {
                Noted::Histories(Box::new(Histories { replaced: self.history(), replacement: self.history() }))
            }
            _ => Noted::Nothing,
        };
        Kind::Marked(Mark { kind, attrs: self.attrs(), noted })
    }

    fn closed(&mut self, kind: CallKind) -> Kind<Veiled> {
        let returned = match Returned::<Veiled>::empty(kind) {
            Returned::Answer(_) => {
                let items = self.some(2, Self::measure);
                let facets = if self.below(2) == 0 { Vec::new() } else { items.iter().map(|_| self.facet()).collect() };
                Returned::Answer(Output { items, facets, ..Output::default() })
            }
            Returned::Result(_) => Returned::Result(self.measure()),
            _ => Returned::Texts(self.some(2, Self::measure)),
        };
        let mut attrs = self.attrs();
        self.rarely(|_| true).into_iter().for_each(|ends| attrs.set(ROLLOUT_END, ends));
        let outcome = self.one(&[
            None,
            Some(Outcome::Completed),
            Some(Outcome::Completed),
            Some(Outcome::Failed),
            Some(Outcome::Cancelled),
            Some(Outcome::Abandoned),
            Some(Outcome::Timeout),
        ]);
        let error = self.measure();
        Kind::Closed(Closed { outcome, attrs, error, links: self.some(1, Self::link) }, returned)
    }

    fn stated(&mut self) -> Kind<Veiled> {
        let outcome = self.rarely(|dice| dice.one(&Outcome::ALL));
        let statement = self.one(&[Statement::Began, Statement::Ended(outcome), Statement::Evidence]);
        Kind::Stated { subject: self.one(&[Subject::Rollout, Subject::Thread]), statement, attrs: self.attrs() }
    }

    fn event(&mut self) -> Event<Veiled> {
        let kinds = [CallKind::Inference, CallKind::Inference, CallKind::Turn, CallKind::Tool, CallKind::Tool];
        let kind = if self.below(3) == 1 { self.one(&CallKind::ALL) } else { self.one(&kinds) };
        let span = self.ids();
        // Half of them are told by producers that know nothing of our ids.
        let (id, thread, turn) = if self.below(2) == 0 {
            let call = CallId::from(u128::from(span.span.as_bytes()[7]) << 80);
            (KeyIdentity::Call(call), self.id(), text(self.one(&["t", "u"])))
        } else {
            let turn = match self.below(3) {
                0 => text(&format!("{}-{}", span.trace, span.span)),
                _ => text(&span.trace.to_string()),
            };
            (KeyIdentity::Span(span.trace, span.span), text("r"), turn)
        };
        let key = Key { kind, id, occurrence: 0 };
        let scope = Scope { tenant: self.rarely(|_| text("acme")), rollout: text("r"), thread, turn };
        let at = self.at();
        let kind = match self.below(16) {
            0..6 => self.opened(key.kind, span),
            6..9 => self.marked(),
            9..14 => self.closed(key.kind),
            14 => self.stated(),
            _ => Kind::Unknown { name: self.id() },
        };
        Event { scope: Arc::new(scope), key, at, source: Source::Otlp, kind }
    }
}

/// Events, and the same again with repetitions in another order.
fn tangle() -> impl Strategy<Value = (Vec<Event<Veiled>>, Vec<Event<Veiled>>)> {
    let event = prop::collection::vec(any::<u8>(), 0..160).prop_map(|bytes| Dice(bytes.into_iter()).event());
    prop::collection::vec(event, 1..24).prop_flat_map(|events| {
        let again = proptest::sample::subsequence(events.clone(), 0..=events.len());
        let shuffled = again.prop_flat_map({
            let events = events.clone();
            move |again| Just([events.clone(), again].concat()).prop_shuffle()
        });
        (Just(events), shuffled)
    })
}

fn graphs(mut facts: Facts, closed: Option<Reason>) -> (String, Vec<Rollout>) {
    facts.rollouts_mut().for_each(|facts| closed.into_iter().for_each(|reason| facts.close(reason)));
    let graphs = facts.derive();
    let texts = graphs.iter().flat_map(|graph| [graph.serialise(), tree(graph)]);
    (texts.collect(), graphs)
}

proptest! {
    #[test]
    fn a33_a_tangle_is_the_same_graph_in_any_order_and_points_at_nothing_that_is_not_there((events, shuffled) in tangle()) {
        for closed in [None, Some(Reason::Ended)] {
            let (text, graphs_of_it) = graphs(facts(&events), closed);
            prop_assert_eq!(&text, &graphs(facts(&shuffled), closed).0);
            for graph in &graphs_of_it {
                is_sound(graph);
                super::proto::is_the_same(graph);
            }
        }
    }

    #[test]
    fn a_tangle_that_closes_while_it_goes_on_leaves_graphs_that_are_sound((_, shuffled) in tangle(), steps in prop::collection::vec(0u64..12, 48)) {
        let mut reducer = Reducer::new(Limits::default());
        let mut now = 100 * SECOND;
        for (event, step) in shuffled.into_iter().zip(steps) {
            now += step * SECOND;
            for effect in reducer.on(event, now) {
                if let Effect::RolloutClosed(closed) = effect {
                    is_sound(&closed.graph);
                }
            }
        }
        reducer.open().for_each(|facts| is_sound(&veilspan::reduce::derive(facts)));
    }
}
