//! Our own recorder's spans pass as they are: what it has veiled is veiled.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use veilspan::event::{Message, Part, Role};
use veilspan::otlp::assemble::request;
use veilspan::otlp::encode::{self, Encoder};
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

use super::build::{every_policy, patches};

/// Calls of every kind, with labels that are none, on several turns of one tenant.
fn spans(policy: Policy) -> Vec<Bytes> {
    let sink = Arc::new(MemorySink::default());
    let recorder = Recorder::builder().sink(sink.clone()).policy(policy).build();
    let mut messages = vec![json!({"role": "user", "content": "two words"})];
    for (agent, tenant) in [("agent", "acme"), ("my agent", "two words"), ("", "")] {
        let turn = recorder.turn(agent).tenant(tenant).conversation("my chat").start();
        for round in 0..3 {
            messages.push(json!({"role": "assistant", "content": format!("answer {round}")}));
            let mut call =
                turn.inference("openai", "my model").input(&messages).system("be brief").max_tokens(7).start();
            call.output(Message { role: Role::Assistant, parts: Vec::new() });
            let parts = (0..40).map(|_| Part::Text("a".into())).collect();
            call.output(Message { role: Role::Assistant, parts });
            call.finish_reason("stop now").response_id("an id").tokens(1, 2);
            if round == 1 { call.fail("a bad error") } else { call.finish() }
        }
        let many = Message { role: Role::Other, parts: (0..40).map(|_| Part::Reference("r".into())).collect() };
        turn.inference("", "m").input(vec![many, Message { role: Role::User, parts: Vec::new() }]).start().cancel();
        let mut call = turn.tool("my tool").arguments("not json").mcp_server("a server").call_id("an id").start();
        call.result("done and done");
        call.finish();
        let mut search = turn.retrieval("a source").query("a query").start();
        search.document("one").document("two");
        search.finish();
        let mut cell = turn.code_cell("1").source("print(1)").start();
        cell.output("1");
        cell.finish();
        turn.terminal("exec").input(r#"{"cmd":"ls -l"}"#).start().finish();
        turn.approval("deploy").question("may I?").start().approved();
        recorder.turn("sub agent").after(&turn.reference()).start().finish();
        turn.finish();
    }
    assert!(recorder.flush(Duration::from_secs(10)).complete);
    let encoder = Encoder::default();
    let field = |call| {
        let mut out = Vec::new();
        encoder.span_field(call, &mut out);
        Bytes::from(out)
    };
    sink.calls().iter().map(field).collect()
}

#[test]
fn what_the_recorder_has_veiled_keeps_its_bytes() {
    let resource = encode::resource([("service.name", "shop")], None);
    for policy in every_policy() {
        let spans = spans(policy.clone());
        assert!(spans.len() > 15);
        let request = request(&resource, &encode::scope(), spans).into_bytes();
        for stage in every_policy() {
            let patches = patches(&stage, &request);
            assert!(patches.is_empty(), "{policy:?} through {stage:?}: {patches:?}");
        }
    }
}

#[test]
fn what_the_recorder_shows_keeps_its_bytes_under_the_same_policy() {
    let resource = encode::resource([("service.name", "shop")], None);
    for content in ["preview", "masked"] {
        for bytes in ["150", "65536"] {
            let environment = [("VEILSPAN_CONTENT", content), ("VEILSPAN_ATTRIBUTE_BYTES", bytes)];
            let (policy, _) = Policy::builder().build_in(&environment.into_iter().collect());
            let request = request(&resource, &encode::scope(), spans(policy.clone())).into_bytes();
            let patches = patches(&policy, &request);
            assert!(patches.is_empty(), "{content} {bytes}: {patches:?}");
        }
    }
}
