//! Decoded events of model requests and tool calls, 10,000 of them in a portion, a rollout each. The first request of a
//! rollout tells its history whole; each after it goes on from the one before, with that one's answer and a tool's result.

use std::sync::Arc;

use veilspan::event::{
    Algorithm, Arguments, At, Attrs, CallId, CallKind, Closed, Digest, Event, Given, Input, Item, Key, KeyIdentity,
    Kind, Measure, Opened, Outcome, Output, ProducerId, Returned, Role, Scope, Source, SpanId, SpanIds, TraceId,
    Veiled,
};
use veilspan::semconv::{INPUT_TOKENS, OPERATION_NAME, OUTPUT_TOKENS, REQUEST_MODEL, TOOL_NAME};

fn digest(number: u64) -> Digest {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    Digest { algorithm: Algorithm::HmacSha256, bytes }
}

pub fn portion(portion: u64) -> Vec<Event<Veiled>> {
    let mut events = Vec::with_capacity(10_000);
    let rollout: bytestring::ByteString = format!("rollout-{portion}").into();
    for turn in 0..50u64 {
        let id = format!("turn-{turn}").into();
        let scope = Arc::new(Scope { tenant: None, rollout: rollout.clone(), thread: rollout.clone(), turn: id });
        for step in 0..50u64 {
            let number = portion * 10_000 + turn * 100 + step * 2;
            push(&mut events, &scope, number, asked(number));
            push(&mut events, &scope, number + 1, called());
        }
    }
    events
}

type Call = (CallKind, Attrs, Given<Veiled>, Attrs, Returned<Veiled>);

fn asked(number: u64) -> Call {
    let (mut opened, mut closed) = (Attrs::default(), Attrs::default());
    opened.set(OPERATION_NAME, "chat".into());
    opened.set(REQUEST_MODEL, "gpt-x".into());
    closed.set(INPUT_TOKENS, 1200);
    closed.set(OUTPUT_TOKENS, 40);
    let item = |digest, role, length, kinds: &'static str| Item {
        digest: Some(digest),
        role,
        length: Some(length),
        part_kinds: kinds.into(),
    };
    let result = item(digest(number), Role::Tool, 300, "tool_call_response");
    // Each rollout is one thread, whose requests are two numbers apart.
    let before = number.checked_sub(2).filter(|_| !number.is_multiple_of(10_000));
    let answer = before.map(|before| item(digest(before + 1), Role::Assistant, 80, "tool_call"));
    let prefix = before.map(|before| digest(before + (1 << 40)));
    let items = answer.into_iter().chain([result]).collect();
    let input = Input { prefix, chain: Some(digest(number + (1 << 40))), items, ..Input::default() };
    let output = Output {
        items: vec![Measure { digest: Some(digest(number + 1)), length: Some(80), ..Measure::default() }],
        ..Output::default()
    };
    (CallKind::Inference, opened, Given::Request(input), closed, Returned::Answer(output))
}

fn called() -> Call {
    let mut opened = Attrs::default();
    opened.set(OPERATION_NAME, "execute_tool".into());
    opened.set(TOOL_NAME, "exec_command".into());
    let arguments = Arguments { digest: Some(digest(1)), length: Some(40), ..Arguments::default() };
    let result = Measure { digest: Some(digest(2)), length: Some(300), ..Measure::default() };
    (CallKind::Tool, opened, Given::Arguments(arguments), Attrs::default(), Returned::Result(result))
}

fn push(events: &mut Vec<Event<Veiled>>, scope: &Arc<Scope>, number: u64, call: Call) {
    let (kind, opened, given, closed, returned) = call;
    let id = CallId::from(u128::from(number + 1) << 64 | 5);
    let key = Key { kind, id: KeyIdentity::Call(id), occurrence: 0 };
    let at = |step: u64| At {
        time_unix_nano: 1_700_000_000_000_000_000 + (number * 2 + step) * 1_000_000,
        producer: Some(ProducerId::from(9)),
        seq: Some(number * 2 + step),
    };
    let span = SpanIds {
        trace: TraceId::from_bytes([3; 16]).unwrap(),
        span: SpanId::from_bytes((number + 1).to_be_bytes()).unwrap(),
        parent: SpanId::from_bytes([4; 8]),
        parent_is_remote: false,
    };
    let opened = Opened { span, attrs: opened, links: Vec::new(), policy: None };
    let closed = Closed { outcome: Some(Outcome::Completed), attrs: closed, ..Closed::default() };
    for (at, kind) in [(at(0), Kind::Opened(opened, given)), (at(1), Kind::Closed(closed, returned))] {
        events.push(Event { scope: Arc::clone(scope), key, at, source: Source::Otlp, kind });
    }
}
