//! What can be printed of what holds content, or has seen some.

use std::sync::Arc;

use veilspan::Recorder;
use veilspan::event::{Message, Role};
use veilspan::import::bundle::BundleReader;
use veilspan::otlp::{Look, Request};
use veilspan::privacy::detect::Detectors;
use veilspan::record::{CallRef, Connection, Fault, Ticket};
use veilspan::testing::MemorySink;

use super::debug::{Printed, print_what_is_raw};
use super::policies::every_level;
use super::recorded::SOON;
use crate::support::canaries::{Exits, Plants, Shape};
use veilspan::semconv::Field;

const SENT: &[Field] = &[Field::Prompts];

#[test]
fn builders_calls_and_references_print_nothing_of_what_they_hold() {
    for policy in every_level() {
        let mut p = Plants::new(Shape::Free);
        let sink = Arc::new(MemorySink::default());
        let recorder = Recorder::builder().sink(sink).policy(policy.clone()).build();
        let mut printed = Printed::default();
        print_what_is_raw(&mut printed, &policy, &mut p);
        let turn = recorder.turn(&p.label("agent")).tenant(&p.label("tenant")).rollout(&p.label("rollout"));
        printed.of(&turn);
        let turn = turn.start();
        printed.of(&turn);
        printed.of(&turn.reference());
        printed.of(&turn.context());
        let call = turn.inference(&p.label("provider"), &p.label("model")).input(p.said(SENT, "input"));
        let call = call.system(p.said(SENT, "system"));
        printed.of(&call);
        let mut call = call.start();
        call.output(Message::text(Role::Assistant, p.said(SENT, "answer"))).finish_reason(&p.label("reason"));
        printed.of(&call);
        let tool = turn.tool(&p.label("tool")).arguments(p.said(SENT, "arguments"));
        printed.of(&tool);
        let mut tool = tool.start();
        tool.result(p.said(SENT, "result"));
        printed.of(&tool);
        let approval = turn.approval(&p.label("approved")).question(p.said(SENT, "question"));
        printed.of(&approval);
        let mut approval = approval.start();
        approval.comment(p.said(SENT, "comment"));
        printed.of(&approval);
        printed.of(&turn.compaction_installed(&p.label("installed")));
        printed.of(&turn.ticket(&p.label("ticket's tool"), 1));
        printed.of(&turn.code_cell(&p.label("cell")).source(p.said(SENT, "source")));
        printed.of(&turn.terminal(&p.label("terminal")).input(p.said(SENT, "command")));
        printed.of(&turn.memory(&p.label("memory")).input(p.said(SENT, "memory input")));
        printed.of(&turn.retrieval(&p.label("data source")).query(p.said(SENT, "query")));
        printed.of(&turn.embeddings(&p.label("provider"), &p.label("model")).input(p.said(SENT, "embedded")));
        printed.of(&turn.compaction(&p.label("compaction")).input(p.said(SENT, "long")));
        printed.of(&turn.workflow(&p.label("workflow")).input(p.said(SENT, "workflow input")));
        printed.of(&recorder.dispatch(&p.label("server"), &p.label("tool")).arguments(p.said(SENT, "dispatched")));
        printed.of(&turn.decision(p.said(SENT, "action")));
        printed.of(&turn.checkpoint(&p.label("checkpoint")).state(p.said(SENT, "state")));
        let connection = Connection::new();
        connection.delegate(turn.tool(&p.label("delegated")).arguments(p.said(SENT, "delegated arguments")), "x");
        printed.of(&connection);
        printed.of(&Fault::new(p.label("fault")));
        printed.of(&CallRef::from_token(&p.hidden("token")).map(|_| ()));
        printed.of(&Ticket::from_token(&p.hidden("token")).map(|_| ()));
        printed.of(&recorder);
        drop((call, tool, approval, connection, turn));
        printed.of(&recorder.shutdown(SOON));
        let mut exits = Exits::of(&p, &policy);
        exits.silent("debug output", printed.text.as_bytes());
        exits.assert_kept();
        printed.assert_complete();
    }
}

#[test]
fn errors_of_what_was_read_repeat_nothing_of_it() {
    let policy = every_level()[4].clone();
    for shape in Shape::ALL {
        let mut p = Plants::new(shape);
        let mut printed = String::new();
        let mut print = |shown: String| printed.push_str(&shown);
        let rules = Detectors::parse(&format!("rules:\n  - {}: [", p.hidden("rule"))).unwrap_err();
        print(format!("{rules} {rules:?}"));
        let pattern = format!("{{\"name\": \"x\", \"pattern\": \"({}\"}}", p.hidden("pattern"));
        print(format!("{:?}", Detectors::parse(&pattern).map(|_| ())));
        let yaml = format!("receivers: [{}", p.hidden("configuration"));
        let unset = |_: &str| None;
        print(format!("{:?}", veilspan::collector::Config::from_yaml(&yaml, &unset)));
        print(format!("{:?}", Request::parse(p.hidden("request").into_bytes().into(), Look::Inside)));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("manifest.json"), p.hidden("manifest")).unwrap();
        print(format!("{:?}", BundleReader::open(folder.path(), policy.clone()).map(|_| ())));
        std::fs::write(folder.path().join("policy.yaml"), format!("content: [{}", p.hidden("policy file"))).unwrap();
        let file = folder.path().join("policy.yaml");
        let environment = [("VEILSPAN_POLICY_FILE", file.to_str().unwrap())].into_iter().collect();
        let (read, warnings) = veilspan::Policy::builder().build_in(&environment);
        print(format!("{read:?} {warnings:?}"));
        let mut exits = Exits::of(&p, &policy);
        exits.silent("errors", printed.as_bytes());
        exits.assert_kept();
    }
}
