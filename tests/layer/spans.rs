//! One span, one call: kinds, types, late fields, outcomes, identity.

use tracing::field::Empty;
use tracing::{error, info, info_span, warn};
use tracing_subscriber::prelude::*;
use veilspan::event::{CallKind, CallRecord, Given, Outcome, Returned, Veiled};
use veilspan::intake::Drop;
use veilspan::semconv;

use super::stack::Recorded;

fn recorded(run: impl FnOnce()) -> Recorded {
    let recorded = Recorded::new();
    let subscriber = tracing_subscriber::registry().with(recorded.recorder.layer());
    tracing::subscriber::with_default(subscriber, run);
    recorded
}

fn lengths(call: &CallRecord<Veiled>) -> (Vec<Option<u64>>, Vec<Option<u64>>) {
    let (Given::Request(request), Returned::Answer(answer)) = (&call.given, &call.returned) else { panic!("{call:?}") };
    (request.items.iter().map(|item| item.length).collect(), answer.items.iter().map(|item| item.length).collect())
}

const MESSAGES: &str = r#"[{"role":"user","parts":[{"type":"text","content":"hello"}]}]"#;
const ANSWER: &str = r#"[{"role":"assistant","parts":[{"type":"text","content":"hi"}],"finish_reason":"stop"}]"#;

#[test]
fn a_chat_span_is_an_inference_whose_numbers_are_numbers() {
    let recorded = recorded(|| {
        let span = info_span!(
            "chat",
            gen_ai.operation.name = "chat",
            gen_ai.provider.name = "openai",
            gen_ai.request.model = %"gpt-x",
            gen_ai.request.temperature = 0.5,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            gen_ai.usage.reasoning.output_tokens = Empty,
            gen_ai.usage.cache_read.input_tokens = Empty,
            gen_ai.response.finish_reasons = Empty,
            gen_ai.input.messages = Empty,
            gen_ai.output.messages = Empty,
            gen_ai.system_instructions = Empty,
        );
        span.record("gen_ai.usage.input_tokens", 12_u64);
        span.record("gen_ai.usage.output_tokens", 3_i64);
        span.record("gen_ai.usage.reasoning.output_tokens", 2.0);
        span.record("gen_ai.usage.cache_read.input_tokens", "7");
        span.record("gen_ai.response.finish_reasons", r#"["stop","length"]"#);
        span.record("gen_ai.input.messages", MESSAGES);
        span.record("gen_ai.output.messages", ANSWER);
        span.record("gen_ai.system_instructions", "be brief");
    });
    let call = recorded.call();
    assert_eq!(call.opened.attrs.text(semconv::REQUEST_MODEL), Some("gpt-x"));
    assert_eq!(call.opened.attrs.get(semconv::TEMPERATURE), Some(0.5));
    let closed = &call.closed.attrs;
    assert_eq!(closed.get(semconv::INPUT_TOKENS), Some(12));
    assert_eq!(closed.get(semconv::OUTPUT_TOKENS), Some(3));
    assert_eq!(closed.get(semconv::REASONING_TOKENS), Some(2));
    assert_eq!(closed.get(semconv::CACHE_READ_TOKENS), Some(7));
    assert_eq!(closed.get(semconv::FINISH_REASONS).unwrap(), ["stop", "length"]);
    assert_eq!(call.closed.outcome, Some(Outcome::Completed));
    assert_eq!(lengths(&call), (vec![Some(5)], vec![Some(2)]));
    let Given::Request(request) = &call.given else { panic!() };
    assert_eq!(request.system.length, Some(8));
    let hello = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(request.items[0].digest.unwrap().to_string(), hello);
}

#[test]
fn a_later_value_replaces_an_earlier_one_and_an_own_name_its_alias() {
    let recorded = recorded(|| {
        let span = info_span!(
            "chat",
            gen_ai.operation.name = "chat",
            gen_ai.provider.name = "azure",
            gen_ai.system = "openai",
            gen_ai.usage.input_tokens = 1,
            gen_ai.usage.prompt_tokens = Empty,
        );
        for tokens in 0..1000_u64 {
            span.record("gen_ai.usage.input_tokens", tokens);
        }
        span.record("gen_ai.usage.prompt_tokens", 5);
    });
    let call = recorded.call();
    assert_eq!(call.opened.attrs.text(semconv::PROVIDER_NAME), Some("azure"));
    assert_eq!(call.closed.attrs.get(semconv::INPUT_TOKENS), Some(999));
}

#[test]
fn an_agent_its_inferences_and_its_tools_are_a_turn() {
    let recorded = recorded(|| {
        let agent = info_span!("invoke_agent", gen_ai.operation.name = "invoke_agent", gen_ai.agent.name = "planner");
        agent.in_scope(|| {
            info_span!("between").in_scope(|| {
                info_span!("chat", gen_ai.operation.name = "generate_content").in_scope(|| {});
            });
            let tool = info_span!(
                "execute_tool",
                gen_ai.operation.name = "execute_tool",
                gen_ai.tool.name = "shell",
                gen_ai.tool.call.arguments = r#"{"b":1,"a":2}"#,
                gen_ai.tool.call.result = "done",
            );
            tool.in_scope(|| {
                info_span!("sub", gen_ai.operation.name = "invoke_agent", gen_ai.agent.name = "worker").in_scope(
                    || {
                        info_span!("chat", gen_ai.operation.name = "chat").in_scope(|| {});
                    },
                );
            });
        });
    });
    let calls = recorded.calls();
    let kinds: Vec<_> = calls.iter().map(|call| call.kind).collect();
    use CallKind::{Inference, Tool, Turn};
    assert_eq!(kinds, [Turn, Inference, Tool, Turn, Inference]);
    let ids: Vec<_> = calls.iter().map(|call| call.opened.span).collect();
    let own = format!("{}-{}", ids[0].trace, ids[0].span);
    let scope = &calls[0].scope;
    assert_eq!([&*scope.rollout, &*scope.thread, &*scope.turn], [own.as_str(); 3]);
    assert_eq!(calls[1].scope, calls[0].scope);
    assert_eq!(calls[2].scope, calls[0].scope);
    assert_eq!(
        (ids[1].parent, ids[2].parent, ids[3].parent),
        (Some(ids[0].span), Some(ids[0].span), Some(ids[2].span))
    );
    let worker = format!("{}-{}", ids[3].trace, ids[3].span);
    assert_eq!(calls[3].scope.rollout, scope.rollout);
    assert_eq!([&*calls[3].scope.thread, &*calls[3].scope.turn], [worker.as_str(); 2]);
    assert_eq!(calls[4].scope, calls[3].scope);
    let (Given::Arguments(arguments), Returned::Result(result)) = (&calls[2].given, &calls[2].returned) else {
        panic!()
    };
    assert!(arguments.digest.is_some() && arguments.exact.is_some());
    assert_eq!(result.length, Some(4));
}

#[test]
fn without_an_agent_the_outermost_span_is_the_turn_and_explicit_ids_win() {
    let recorded = recorded(|| {
        info_span!("chat", gen_ai.operation.name = "chat").in_scope(|| {});
        info_span!("chat", gen_ai.operation.name = "chat", veilspan.rollout.id = "r", veilspan.turn.id = %"t")
            .in_scope(|| {});
    });
    let calls = recorded.calls();
    let own = |call: &CallRecord<Veiled>| format!("{}-{}", call.opened.span.trace, call.opened.span.span);
    assert_eq!(calls[0].scope.turn, own(&calls[0]));
    let scope = &calls[1].scope;
    assert_eq!((&*scope.rollout, &*scope.thread, &*scope.turn), ("r", own(&calls[1]).as_str(), "t"));
}

#[test]
fn errors_fail_a_call_by_their_class_alone() {
    let recorded = recorded(|| {
        let chat = || info_span!("chat", gen_ai.operation.name = "chat", error.type = Empty, otel.status_code = Empty);
        chat().record("error.type", "rate_limit");
        chat().record("otel.status_code", "ERROR");
        chat().in_scope(|| error!(error = "canary text", "canary message"));
        chat().in_scope(|| info!(exception.type = "Overloaded", exception.message = "canary"));
        chat().in_scope(|| warn!(error = "dealt with"));
        let chat_that_recovers = chat();
        chat_that_recovers.in_scope(|| info_span!("inner").in_scope(|| error!(error = "dealt with further out")));
        chat_that_recovers.record("otel.status_code", "OK");
        drop(chat_that_recovers);
        info_span!("tool", gen_ai.operation.name = "execute_tool", gen_ai.tool.call.outcome = "denied");
    });
    let calls = recorded.calls();
    let ends: Vec<_> = calls
        .iter()
        .map(|call| (call.closed.outcome.unwrap(), call.closed.attrs.text(semconv::ERROR_TYPE).map(str::to_owned)))
        .collect();
    let failed = |kind: Option<&str>| (Outcome::Failed, kind.map(str::to_owned));
    assert_eq!(ends[0], failed(Some("rate_limit")));
    assert_eq!(ends[1], failed(None));
    assert_eq!(ends[2], failed(None));
    assert_eq!(ends[3], failed(Some("Overloaded")));
    assert_eq!(ends[4], (Outcome::Completed, None));
    assert_eq!(ends[5], (Outcome::Completed, None));
    assert_eq!(ends[6].0, Outcome::Denied);
    assert!(!format!("{calls:?}").contains("canary"));
}

#[test]
fn a_span_that_a_panic_closes_has_failed() {
    let recorded = recorded(|| {
        let panicked = std::panic::catch_unwind(|| {
            let _span = info_span!("chat", gen_ai.operation.name = "chat").entered();
            std::panic::resume_unwind(Box::new("canary"));
        });
        assert!(panicked.is_err());
    });
    let call = recorded.call();
    assert_eq!(call.closed.outcome, Some(Outcome::Failed));
    assert_eq!(call.closed.attrs.text(semconv::ERROR_KIND), Some("panic"));
}

#[test]
fn fields_of_events_add_to_their_span() {
    let recorded = recorded(|| {
        info_span!("chat", gen_ai.operation.name = "chat").in_scope(|| {
            info!(gen_ai.usage.input_tokens = 4_u64, gen_ai.operation.name = "embeddings", "usage");
            info_span!("deeper").in_scope(|| info!(gen_ai.input.messages = MESSAGES));
        });
    });
    let call = recorded.call();
    assert_eq!(call.closed.attrs.get(semconv::INPUT_TOKENS), Some(4));
    assert_eq!(lengths(&call).0, [Some(5)]);
}

#[test]
fn other_operations_are_counted_and_their_inside_keeps_its_parent() {
    let recorded = recorded(|| {
        info_span!("invoke_agent", gen_ai.operation.name = "invoke_agent").in_scope(|| {
            info_span!("rerank", gen_ai.operation.name = "rerank").in_scope(|| {
                info_span!("tool", gen_ai.operation.name = "execute_tool").in_scope(|| {});
            });
        });
        info_span!("late", gen_ai.operation.name = Empty).record("gen_ai.operation.name", "create_agent");
        // A word of ours, for what only our own recorder can tell.
        info_span!("cancel", gen_ai.operation.name = "cancel");
        info_span!("nothing", gen_ai.something = 1);
    });
    let calls = recorded.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[1].opened.span.parent, Some(calls[0].opened.span.span));
    assert_eq!(recorded.recorder.counts().dropped.of(Drop::UnmappedOperation), 4);
}

#[test]
fn every_kind_of_call_that_the_conventions_have_is_told_with_its_content() {
    let recorded = recorded(|| {
        let workflow = info_span!("w", gen_ai.operation.name = "invoke_workflow", gen_ai.workflow.name = "nightly");
        workflow.in_scope(|| {
            drop(info_span!(
                "embeddings",
                gen_ai.operation.name = "embeddings",
                gen_ai.request.model = "e",
                gen_ai.embeddings.dimension.count = 3_i64,
                gen_ai.request.encoding_formats = r#"["float","base64"]"#,
                input.value = r#"["hello","you"]"#,
                output.value = "[[0.25]]",
            ));
            drop(info_span!(
                "retrieval",
                gen_ai.operation.name = "retrieval",
                gen_ai.data_source.id = "docs",
                gen_ai.retrieval.query.text = "hello",
                gen_ai.retrieval.documents = r#"[{"id":"1","score":0.5},{"id":"2","score":0.25}]"#,
            ));
            drop(info_span!("memory", gen_ai.operation.name = "search_memory", gen_ai.memory.query.text = "hello"));
        });
    });
    let calls = recorded.calls();
    let kinds: Vec<_> = calls.iter().map(|call| call.kind).collect();
    assert_eq!(kinds, [CallKind::Workflow, CallKind::Embeddings, CallKind::Retrieval, CallKind::Memory]);
    assert!(calls[1..].iter().all(|call| call.opened.span.parent == Some(calls[0].opened.span.span)));
    let given = |call: usize| match &calls[call].given {
        Given::Texts(texts) => texts.iter().map(|text| text.length.unwrap()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!((given(1), given(2), given(3)), (vec![5, 3], vec![5], vec![5]));
    let Returned::Texts(found) = &calls[2].returned else { panic!() };
    assert_eq!(found.len(), 2);
    assert_eq!(calls[1].opened.attrs.get(semconv::ENCODING_FORMATS).unwrap(), ["float", "base64"]);
    assert_eq!(calls[3].opened.attrs.text(semconv::OPERATION_NAME), Some("search_memory"));
}

#[test]
fn an_explicit_root_is_one_and_an_explicit_parent_counts() {
    let recorded = recorded(|| {
        let agent = info_span!("invoke_agent", gen_ai.operation.name = "invoke_agent");
        info_span!(parent: &agent, "chat", gen_ai.operation.name = "chat");
        let _inside = agent.enter();
        info_span!(parent: None, "chat", gen_ai.operation.name = "chat");
    });
    let calls = recorded.calls();
    assert_eq!(calls[1].opened.span.parent, Some(calls[0].opened.span.span));
    assert_eq!(calls[2].opened.span.parent, None);
    assert_ne!(calls[2].opened.span.trace, calls[0].opened.span.trace);
}

#[test]
fn a_span_without_an_operation_is_what_its_fields_are_of() {
    let recorded = recorded(|| {
        info_span!("a", gen_ai.request.model = "m");
        info_span!("b", gen_ai.tool.name = "shell");
        info_span!("c", gen_ai.operation.name = Empty, gen_ai.agent.name = "x")
            .record("gen_ai.operation.name", "invoke_agent");
    });
    let kinds: Vec<_> = recorded.calls().iter().map(|call| call.kind).collect();
    assert_eq!(kinds, [CallKind::Inference, CallKind::Tool, CallKind::Turn]);
}

#[test]
fn a_rollout_that_is_not_sampled_is_neither_recorded_nor_anybodys_parent() {
    use veilspan::intake::Sampler;
    use veilspan::layer::others;
    let sink = std::sync::Arc::new(veilspan::testing::MemorySink::default());
    let builder = veilspan::Recorder::builder().sink(sink.clone()).policy(super::stack::policy());
    let recorder = builder.sampler(Sampler::NONE).build();
    let sdk = super::stack::Sdk::new();
    let exporting = tracing_opentelemetry::layer().with_tracer(sdk.tracer()).with_filter(others());
    let subscriber = tracing_subscriber::registry().with(exporting).with(recorder.layer());
    tracing::subscriber::with_default(subscriber, || {
        info_span!("server").in_scope(|| {
            info_span!("chat", gen_ai.operation.name = "chat").in_scope(|| {
                info!(gen_ai.input.messages = "canary", "canary");
                info_span!("client").in_scope(|| {});
            });
        });
    });
    assert!(recorder.flush(super::stack::SOON).complete);
    assert!(sink.records().is_empty());
    assert_eq!((recorder.counts().started, recorder.counts().dropped.calls()), (0, 0));
    let spans = sdk.spans();
    let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    assert_eq!(find("client").parent_span_id, find("server").span_context.span_id());
    assert!(!format!("{spans:?}").contains("canary"));
}

#[test]
fn where_fields_of_an_answer_stay_empty_and_none_could_tell_of_a_failure_nobody_has_told() {
    let recorded = recorded(|| {
        let rigs =
            || info_span!("a", gen_ai.operation.name = "chat", gen_ai.response.id = Empty, gen_ai.completion = Empty);
        drop(rigs());
        rigs().record("gen_ai.response.id", "chatcmpl-1");
        rigs().record("gen_ai.completion", "canary");
        rigs().in_scope(|| info!(gen_ai.usage.output_tokens = 3));
        rigs().in_scope(|| error!(error = "canary"));
        // It has a field for failures, or none that every answer fills.
        drop(info_span!("b", gen_ai.operation.name = "chat", gen_ai.response.id = Empty, error.type = Empty));
        drop(info_span!("c", gen_ai.operation.name = "chat", gen_ai.usage.output_tokens = Empty));
    });
    let outcomes: Vec<_> = recorded.calls().iter().map(|call| call.closed.outcome.unwrap()).collect();
    use Outcome::{Abandoned, Completed, Failed};
    assert_eq!(outcomes, [Abandoned, Completed, Completed, Completed, Failed, Completed, Completed]);
}

#[test]
fn a_policy_that_is_set_while_a_span_is_open_lowers_it_and_raises_nothing() {
    let under = |level: &str| {
        let read = veilspan::environment::Environment::from_iter([("VEILSPAN_CONTENT", level)]);
        veilspan::Policy::builder().unkeyed_sha256().build_in(&read).0
    };
    let told = |levels: [&str; 3]| {
        let sink = std::sync::Arc::new(veilspan::testing::MemorySink::default());
        let recorder = veilspan::Recorder::builder().sink(sink.clone()).policy(under(levels[0])).build();
        let subscriber = tracing_subscriber::registry().with(recorder.layer());
        tracing::subscriber::with_default(subscriber, || {
            let tool = || info_span!("tool", gen_ai.operation.name = "execute_tool");
            let open = tool();
            for level in &levels[1..] {
                recorder.set_policy(under(level));
                // By what opens under it it is known that the other one holds.
                drop(tool());
                assert!(recorder.flush(super::stack::SOON).complete);
            }
            drop(open);
        });
        assert!(recorder.flush(super::stack::SOON).complete);
        let mut calls = sink.calls();
        calls.sort_by_key(|call| call.opened_at.seq);
        let level = |call: &CallRecord<Veiled>| {
            let policy = call.opened.policy.as_ref().unwrap();
            policy.strip_prefix("content=").unwrap().split(';').next().unwrap().to_owned()
        };
        calls.iter().map(level).collect::<Vec<_>>()
    };
    assert_eq!(told(["digest", "masked", "masked"]), ["digest", "masked", "masked"]);
    assert_eq!(told(["masked", "digest", "masked"]), ["digest", "digest", "masked"]);
    assert_eq!(told(["masked", "masked", "digest"]), ["digest", "masked", "digest"]);
}
