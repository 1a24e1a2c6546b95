//! A run of one turn in which a model asks and a tool answers, in turns.

use std::sync::Arc;

use veilspan::event::{
    Algorithm, Arguments, At, Attrs, CallId, CallKind, Closed, Digest, Event, Given, Input, Item, Key, KeyIdentity,
    Kind, Measure, Opened, Outcome, Output, ProducerId, Returned, Role, Scope, Source, SpanId, SpanIds, TraceId,
    Veiled,
};
use veilspan::reduce::Facts;
use veilspan::replay::Run;
use veilspan::semconv::{INPUT_TOKENS, OPERATION_NAME, OUTPUT_TOKENS, REQUEST_MODEL, TOOL_NAME};

fn digest(number: u64) -> Digest {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    Digest { algorithm: Algorithm::Sha256, bytes }
}

/// A run of so many steps, of which so many, spread evenly, are not those of the run with none.
pub fn run(steps: u64, differences: u64) -> Run {
    let every = steps.checked_div(differences).unwrap_or(u64::MAX).max(1);
    let scope = Arc::new(Scope { tenant: None, rollout: "r".into(), thread: "th".into(), turn: "tu".into() });
    let mut facts = Facts::default();
    let mut number = 0;
    for step in 0..steps {
        let differs = differences > 0 && step % every == every / 2;
        let content = if differs { step + (1 << 50) } else { step };
        let kind = step / every % 3;
        // A third of the differences each: another step, one more, one less.
        if differs && kind == 1 {
            tell(&mut facts, &scope, &mut number, step, content);
        }
        if !(differs && kind == 2) {
            tell(&mut facts, &scope, &mut number, step, if differs && kind == 1 { step } else { content });
        }
    }
    let rollouts = facts.derive();
    Run::of_recording(&rollouts[0])
}

fn tell(facts: &mut Facts, scope: &Arc<Scope>, number: &mut u64, step: u64, content: u64) {
    *number += 1;
    let id = CallId::from(u128::from(*number) << 64 | 5);
    let (kind, opened, given, closed, returned) = if step.is_multiple_of(2) { asked(content) } else { called(content) };
    let key = Key { kind, id: KeyIdentity::Call(id), occurrence: 0 };
    let at = |step: u64| At {
        time_unix_nano: 1_700_000_000_000_000_000 + (*number * 2 + step) * 1_000_000,
        producer: Some(ProducerId::from(9)),
        seq: Some(*number * 2 + step),
    };
    let span = SpanIds {
        trace: TraceId::from_bytes([3; 16]).unwrap(),
        span: SpanId::from_bytes(number.to_be_bytes()).unwrap(),
        parent: SpanId::from_bytes([4; 8]),
        parent_is_remote: false,
    };
    let opened = Opened { span, attrs: opened, links: Vec::new(), policy: Some("hash=sha256;form=c1".into()) };
    let closed = Closed { outcome: Some(Outcome::Completed), attrs: closed, ..Closed::default() };
    for (at, kind) in [(at(0), Kind::Opened(opened, given)), (at(1), Kind::Closed(closed, returned))] {
        facts.absorb(&Event::<Veiled> { scope: Arc::clone(scope), key, at, source: Source::Otlp, kind });
    }
}

type Call = (CallKind, Attrs, Given<Veiled>, Attrs, Returned<Veiled>);

fn asked(content: u64) -> Call {
    let (mut opened, mut closed) = (Attrs::default(), Attrs::default());
    opened.set(OPERATION_NAME, "chat".into());
    opened.set(REQUEST_MODEL, "gpt-x".into());
    closed.set(INPUT_TOKENS, 1200);
    closed.set(OUTPUT_TOKENS, 40);
    let item = Item { digest: Some(digest(content)), role: Role::Tool, length: Some(300), part_kinds: "text".into() };
    let input = Input { chain: Some(digest(content + (1 << 40))), items: vec![item], ..Input::default() };
    let answer = Measure { digest: Some(digest(content + (1 << 41))), length: Some(80), ..Measure::default() };
    let output = Output { items: vec![answer], ..Output::default() };
    (CallKind::Inference, opened, Given::Request(input), closed, Returned::Answer(output))
}

fn called(content: u64) -> Call {
    let mut opened = Attrs::default();
    opened.set(OPERATION_NAME, "execute_tool".into());
    opened.set(TOOL_NAME, "exec_command".into());
    let arguments = Arguments { digest: Some(digest(content)), length: Some(40), ..Arguments::default() };
    let result = Measure { digest: Some(digest(content + 1)), length: Some(300), ..Measure::default() };
    (CallKind::Tool, opened, Given::Arguments(arguments), Attrs::default(), Returned::Result(result))
}
