//! Tasks that are interleaved and aborted anywhere.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use veilspan::event::{CallKind, Message, Outcome, Role};
use veilspan::semconv;
use veilspan::{Recorder, record};

use super::common::*;

/// An agent that asks a model and calls a tool with a sub-agent, and gives way at each step.
async fn agent(recorder: Recorder, number: usize) {
    let name = format!("agent-{number}");
    let mut turn = recorder.turn(&name).start();
    let context = turn.context();
    let work = context.instrument(async {
        let mut call = Recorder::current().inference("openai", &name).input(name.clone()).start();
        call.observe(tokio::task::yield_now()).await;
        call.output(Message::text(Role::Assistant, "x".repeat(number)));
        call.finish();
        let mut tool = Recorder::current().tool(&name).start();
        let sub = async {
            let sub = Recorder::current().turn(&name).start();
            tokio::task::yield_now().await;
            let call: record::Inference = sub.inference("openai", &name).input(name.clone()).start();
            tokio::task::yield_now().await;
            call.finish();
            sub.finish();
        };
        tool.observe(sub).await;
        tool.finish();
    });
    turn.observe(work).await;
    turn.finish();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn fifty_tasks_aborted_anywhere_close_each_call_once_and_mix_nothing(
        steps in proptest::collection::vec((0usize..50, 0u8..12), 50),
        workers in 1usize..3,
    ) {
        let (recorder, sink) = recorder();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_time().build().unwrap();
        runtime.block_on(async {
            let tasks: Vec<_> = (0..50).map(|number| tokio::spawn(agent(recorder.clone(), number))).collect();
            for (task, pause) in steps {
                if pause == 0 {
                    tokio::time::sleep(Duration::from_micros(50)).await;
                }
                tokio::task::yield_now().await;
                tasks[task].abort();
            }
            for task in tasks {
                let _ = task.await;
            }
        });
        let calls = calls(&recorder, &sink);
        let counts = recorder.counts();
        prop_assert_eq!((counts.started, counts.recorded), (calls.len() as u64, calls.len() as u64));
        let by_span: BTreeMap<_, _> = calls.iter().map(|call| (call.opened.span.span, call)).collect();
        prop_assert_eq!(by_span.len(), calls.len());
        for call in &calls {
            let name = |call: &veilspan::event::CallRecord<veilspan::event::Veiled>| {
                let names = [semconv::AGENT_NAME, semconv::REQUEST_MODEL, semconv::TOOL_NAME];
                names.into_iter().find_map(|name| call.opened.attrs.get(name)).unwrap()
            };
            let expected = [Outcome::Completed, Outcome::Cancelled, Outcome::Abandoned];
            prop_assert!(expected.contains(&call.closed.outcome.unwrap()));
            prop_assert!(call.opened_at.seq < call.closed_at.seq);
            if let Some(parent) = call.opened.span.parent {
                let parent = by_span[&parent];
                prop_assert_eq!(name(parent), name(call));
                prop_assert_eq!(&parent.scope.rollout, &call.scope.rollout);
                prop_assert!(parent.opened_at.seq < call.opened_at.seq && call.closed_at.seq < parent.closed_at.seq);
            } else {
                prop_assert_eq!(call.kind, CallKind::Turn);
            }
            if call.kind == CallKind::Inference {
                let (request, answer) = inference(call);
                prop_assert_eq!(request.items[0].length, Some(name(call).len() as u64));
                let number: u64 = name(call)["agent-".len()..].parse().unwrap();
                prop_assert!(answer.items.iter().all(|item| item.length == Some(number)));
            }
        }
    }
}
