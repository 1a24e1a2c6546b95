//! Events built by hand. A call's number is its id, its span and, times ten, its `seq`.

use std::sync::Arc;

use bytestring::ByteString;
use veilspan::event::{
    Algorithm, Arguments, At, Attrs, CallId, CallKind, Closed, Digest, EdgeKind, Event, Given, Input, Item, Key,
    KeyIdentity, Kind, Link, Measure, Opened, Outcome, Output, ProducerId, Returned, Role, Scope, Source, SpanId,
    SpanIds, TraceId, Veiled,
};
use veilspan::reduce::{Effect, Facts, Limits, Reducer, Rollout, SynthSpan};
use veilspan::semconv::{
    AGENT_NAME, FINISH_REASONS, INPUT_TOKENS, OPERATION_NAME, OUTPUT_TOKENS, REQUEST_MODEL, ROLLOUT_END, SEGMENT,
    TOOL_NAME,
};

pub const SECOND: u64 = 1_000_000_000;

pub fn text(text: &str) -> ByteString {
    ByteString::from(text)
}

pub fn digest(byte: u8) -> Digest {
    Digest { algorithm: Algorithm::Sha256, bytes: [byte; 32] }
}

pub fn trace(number: u8) -> TraceId {
    TraceId::from_bytes([number.max(1); 16]).unwrap()
}

pub fn span(number: u64) -> SpanId {
    SpanId::from_bytes((number + 1).to_be_bytes()).unwrap()
}

#[derive(Clone, Debug)]
pub struct Call {
    pub tenant: Option<ByteString>,
    pub path: [ByteString; 3],
    pub kind: CallKind,
    pub number: u64,
    pub producer: u128,
    pub from: u64,
    pub to: u64,
    pub outcome: Option<Outcome>,
    pub trace: u8,
    pub parent: Option<u64>,
    pub links: Vec<Link>,
    pub opened: Attrs,
    pub closed: Attrs,
    pub input: Input,
    pub output: Output,
    /// Its producer knows nothing of our ids.
    pub is_of_others: bool,
}

/// A call of thread `th`, turn `tu`, from second 1 to second 2, completed.
fn call(kind: CallKind, rollout: &str, number: u64) -> Call {
    Call {
        tenant: None,
        path: [text(rollout), text("th"), text("tu")],
        kind,
        number,
        producer: 1,
        from: SECOND,
        to: 2 * SECOND,
        outcome: Some(Outcome::Completed),
        trace: 1,
        parent: None,
        links: Vec::new(),
        opened: Attrs::default(),
        closed: Attrs::default(),
        input: Input::default(),
        output: Output::default(),
        is_of_others: false,
    }
}

pub fn turn(rollout: &str, number: u64) -> Call {
    let mut turn = call(CallKind::Turn, rollout, number);
    turn.opened.set(AGENT_NAME, text("planner"));
    turn
}

pub fn inference(rollout: &str, number: u64) -> Call {
    let mut inference = call(CallKind::Inference, rollout, number);
    inference.opened.set(OPERATION_NAME, text("chat"));
    inference.opened.set(REQUEST_MODEL, text("gpt-x"));
    inference
}

pub fn of_kind(kind: CallKind, rollout: &str, number: u64) -> Call {
    call(kind, rollout, number)
}

pub fn tool(rollout: &str, number: u64) -> Call {
    let mut tool = call(CallKind::Tool, rollout, number);
    tool.opened.set(TOOL_NAME, text("add"));
    tool
}

impl Call {
    pub fn thread(mut self, thread: &str) -> Self {
        self.path[1] = text(thread);
        self
    }

    pub fn turn(mut self, turn: &str) -> Self {
        self.path[2] = text(turn);
        self
    }

    pub fn tenant(mut self, tenant: &str) -> Self {
        self.tenant = Some(text(tenant));
        self
    }

    pub fn producer(mut self, producer: u128) -> Self {
        self.producer = producer;
        self
    }

    /// In seconds.
    pub fn at(mut self, from: u64, to: u64) -> Self {
        (self.from, self.to) = (from * SECOND, to * SECOND);
        self
    }

    pub fn outcome(mut self, outcome: impl Into<Option<Outcome>>) -> Self {
        self.outcome = outcome.into();
        self
    }

    pub fn trace(mut self, trace: u8) -> Self {
        self.trace = trace;
        self
    }

    pub fn parent(mut self, parent: u64) -> Self {
        self.parent = Some(parent);
        self
    }

    pub fn link(mut self, to: u8, number: u64, kind: EdgeKind) -> Self {
        self.links.push(Link { trace: trace(to), span: span(number), kind: Some(kind) });
        self
    }

    pub fn segment(mut self, index: i64) -> Self {
        self.opened.set(SEGMENT, index);
        self
    }

    pub fn tokens(mut self, input: i64, output: i64) -> Self {
        self.closed.set(INPUT_TOKENS, input);
        self.closed.set(OUTPUT_TOKENS, output);
        self
    }

    pub fn finish(mut self, reason: &str) -> Self {
        self.closed.set(FINISH_REASONS, vec![text(reason)]);
        self
    }

    /// The digests of the chain that is extended, and of the whole.
    pub fn chain(mut self, prefix: Option<u8>, chain: u8) -> Self {
        self.input.prefix = prefix.map(digest);
        self.input.chain = Some(digest(chain));
        let item = Item { digest: Some(digest(200)), role: Role::User, length: Some(2), part_kinds: text("text") };
        self.input.items = vec![item];
        self
    }

    pub fn answer(mut self, byte: u8) -> Self {
        self.output.items = vec![Measure { digest: Some(digest(byte)), length: Some(1), ..Measure::default() }];
        self
    }

    pub fn ends_rollout(mut self) -> Self {
        self.closed.set(ROLLOUT_END, true);
        self
    }

    /// A span that names no thread, no turn and no outcome, as others tell it.
    pub fn of_others(mut self) -> Self {
        let turn = text(&trace(self.trace).to_string());
        (self.path, self.is_of_others, self.outcome) = ([self.path[0].clone(), self.path[0].clone(), turn], true, None);
        self
    }

    /// The same, which names no conversation either: its rollout is its trace.
    pub fn of_nobody(mut self) -> Self {
        self.path[0] = text(&trace(self.trace).to_string());
        self.of_others()
    }

    pub fn key(&self) -> Key {
        if self.is_of_others {
            let id = KeyIdentity::Span(trace(self.trace), span(self.number));
            return Key { kind: self.kind, id, occurrence: 0 };
        }
        // As a recorder makes them: what tells the calls of a process apart stands in the first half.
        let id = KeyIdentity::Call(CallId::from(u128::from(self.number) << 80 | 0xa11));
        Key { kind: self.kind, id, occurrence: 0 }
    }

    fn at_time(&self, time_unix_nano: u64, seq: u64) -> At {
        let seq = (!self.is_of_others).then_some(self.number * 10 + seq);
        At { time_unix_nano, producer: seq.map(|_| ProducerId::from(self.producer)), seq }
    }

    fn event(&self, at: At, kind: Kind<Veiled>) -> Event<Veiled> {
        let [rollout, thread, turn] = self.path.clone();
        let scope = Arc::new(Scope { tenant: self.tenant.clone(), rollout, thread, turn });
        Event { scope, key: self.key(), at, source: Source::Otlp, kind }
    }

    pub fn open(&self) -> Event<Veiled> {
        let parent = self.parent.map(span);
        let ids = SpanIds { trace: trace(self.trace), span: span(self.number), parent, parent_is_remote: false };
        let opened = Opened { span: ids, attrs: self.opened.clone(), links: self.links.clone(), policy: None };
        let arguments = Arguments { digest: Some(digest(0x1c)), exact: None, length: Some(7), ..Arguments::default() };
        let given = match self.kind {
            CallKind::Inference => Given::Request(self.input.clone()),
            CallKind::Tool => Given::Arguments(arguments),
            kind => Given::empty(kind),
        };
        let kind = Kind::Opened(opened, given);
        self.event(self.at_time(self.from, 0), kind)
    }

    pub fn close(&self) -> Event<Veiled> {
        let closed = Closed { outcome: self.outcome, attrs: self.closed.clone(), ..Closed::default() };
        let result = Measure { digest: Some(digest(0x99)), length: Some(1), ..Measure::default() };
        let returned = match self.kind {
            CallKind::Inference => Returned::Answer(self.output.clone()),
            CallKind::Tool => Returned::Result(result),
            kind => Returned::empty(kind),
        };
        let kind = Kind::Closed(closed, returned);
        self.event(self.at_time(self.to, 1), kind)
    }

    pub fn both(&self) -> Vec<Event<Veiled>> {
        vec![self.open(), self.close()]
    }
}

pub fn all(calls: &[Call]) -> Vec<Event<Veiled>> {
    calls.iter().flat_map(Call::both).collect()
}

pub fn facts<'a>(events: impl IntoIterator<Item = &'a Event<Veiled>>) -> Facts {
    let mut facts = Facts::default();
    for event in events {
        facts.absorb(event);
    }
    facts
}

/// The one rollout of these events, the same in both orders.
pub fn reduce(events: &[Event<Veiled>]) -> Rollout {
    let mut rollouts = facts(events).derive();
    let backwards: Vec<String> = facts(events.iter().rev()).derive().iter().map(Rollout::serialise).collect();
    assert_eq!(backwards, rollouts.iter().map(Rollout::serialise).collect::<Vec<_>>());
    assert_eq!(rollouts.len(), 1);
    super::over_otlp::is_the_same(events);
    super::proto::is_the_same(&rollouts[0]);
    super::sound::is_sound(&rollouts[0]);
    rollouts.remove(0)
}

pub fn reducer() -> Reducer {
    Reducer::new(Limits::default())
}

/// What follows from the events when they all arrive at `now`, in seconds.
pub fn feed(reducer: &mut Reducer, calls: &[Call], now: u64) -> Vec<Effect> {
    all(calls).into_iter().flat_map(|event| reducer.on(event, now * SECOND)).collect()
}

pub fn spans(effects: &[Effect]) -> Vec<&SynthSpan> {
    let spans = effects.iter().filter_map(|effect| match effect {
        Effect::AddSpan(span) => Some(&**span),
        _ => None,
    });
    spans.collect()
}
