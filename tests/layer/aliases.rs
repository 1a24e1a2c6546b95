//! The call sites of the libraries, as they declare them, and what becomes of them.

use tracing::field::Empty;
use tracing::{debug, debug_span, info_span};
use tracing_subscriber::prelude::*;
use veilspan::event::{CallKind, Given, Outcome, Returned};
use veilspan::semconv;

use super::stack::Recorded;

fn recorded(run: impl FnOnce()) -> Recorded {
    let recorded = Recorded::new();
    let subscriber = tracing_subscriber::registry().with(recorded.recorder.layer());
    tracing::subscriber::with_default(subscriber, run);
    recorded
}

const MESSAGES: &str = r#"[{"role":"user","parts":[{"type":"text","content":"hello"}]}]"#;

#[test]
fn rig() {
    let recorded = recorded(|| {
        let parent = info_span!(
            target: "runtime",
            "agent_chat",
            rig.completion_parent = true,
            gen_ai.operation.name = Empty,
            gen_ai.provider.name = Empty,
            gen_ai.request.model = Empty,
            gen_ai.system_instructions = Empty,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.reasoning_tokens = Empty,
            gen_ai.input.messages = Empty,
        );
        parent.record("gen_ai.operation.name", "chat");
        parent.record("gen_ai.request.model", "m");
        parent.record("gen_ai.system_instructions", r#"[{"type":"text","content":"sys"}]"#);
        parent.record("gen_ai.usage.input_tokens", Some(12_u64));
        parent.record("gen_ai.usage.reasoning_tokens", 3_u64);
        parent.record("gen_ai.input.messages", MESSAGES);
        drop(parent);
        let tool = info_span!(
            "execute_tool",
            gen_ai.operation.name = "execute_tool",
            gen_ai.tool.type = "function",
            gen_ai.tool.name = Empty,
            gen_ai.tool.call.outcome = Empty,
            gen_ai.tool.error.type = Empty,
        );
        tool.record("gen_ai.tool.name", "shell");
        tool.record("gen_ai.tool.call.outcome", "error");
        tool.record("gen_ai.tool.error.type", "timeout");
    });
    let calls = recorded.calls();
    assert_eq!(calls[0].closed.attrs.get(semconv::INPUT_TOKENS), Some(12));
    assert_eq!(calls[0].closed.attrs.get(semconv::REASONING_TOKENS), Some(3));
    let Given::Request(request) = &calls[0].given else { panic!() };
    assert_eq!((request.items[0].length, request.system.length), (Some(5), Some(3)));
    assert_eq!(calls[1].opened.attrs.text(semconv::TOOL_NAME), Some("shell"));
    assert_eq!(calls[1].closed.outcome, Some(Outcome::Failed));
    assert_eq!(calls[1].closed.attrs.text(semconv::ERROR_TYPE), Some("timeout"));
}

#[test]
fn genai() {
    let recorded = recorded(|| {
        let span = info_span!(
            "genai.chat",
            otel.name = %"chat m",
            otel.kind = "client",
            error.type = Empty,
            gen_ai.operation.name = "chat",
            gen_ai.provider.name = ?"openai",
            gen_ai.request.max_tokens = 2048_u32,
            gen_ai.response.finish_reasons = Empty,
            gen_ai.response.time_to_first_chunk = Empty,
            gen_ai.usage.output_tokens = Empty,
            server.address = "api.openai.com",
            server.port = 443_u16,
        );
        span.record("gen_ai.response.finish_reasons", r#"["stop"]"#);
        span.record("gen_ai.response.time_to_first_chunk", 0.25);
        span.record("gen_ai.usage.output_tokens", 5_i64);
    });
    let call = recorded.call();
    assert_eq!(call.opened.attrs.text(semconv::PROVIDER_NAME), Some("openai"));
    assert_eq!(call.opened.attrs.get(semconv::MAX_TOKENS), Some(2048));
    assert_eq!(call.opened.attrs.get(semconv::SERVER_PORT), Some(443));
    assert_eq!(call.closed.attrs.get(semconv::FINISH_REASONS).unwrap(), ["stop"]);
    assert_eq!(call.closed.attrs.get(semconv::TIME_TO_FIRST_CHUNK), Some(0.25));
}

#[test]
fn goose() {
    let recorded = recorded(|| {
        let span = info_span!(
            target: "goose::state_machine",
            "chat",
            "gen_ai.operation.name" = "chat",
            "gen_ai.request.model" = %"m",
            "gen_ai.usage.input_tokens" = Empty,
            "goose.chat.purpose" = "canary purpose",
            session.id = %"s1",
        );
        span.record("gen_ai.usage.input_tokens", 7_i32);
    });
    let call = recorded.call();
    assert_eq!(call.opened.attrs.text(semconv::CONVERSATION_ID), Some("s1"));
    assert_eq!(call.closed.attrs.get(semconv::INPUT_TOKENS), Some(7));
    assert!(!format!("{call:?}").contains("canary"));
}

#[test]
fn langchain_rust() {
    let recorded = recorded(|| {
        let span = info_span!(
            "llm.generate",
            provider = "openai",
            model = %"m",
            stream = false,
            prompt_tokens = Empty,
            completion_tokens = Empty,
            total_tokens = Empty,
            error = Empty,
        );
        span.record("prompt_tokens", 3_u32);
        span.record("error", "canary error");
        drop(span);
        // A plain word alone is nobody's.
        drop(info_span!("render", model = "chair"));
        drop(info_span!("tool.call", tool = "hammer"));
    });
    let call = recorded.call();
    assert_eq!(call.kind, CallKind::Inference);
    assert_eq!(call.opened.attrs.text(semconv::REQUEST_MODEL), Some("m"));
    assert_eq!(call.opened.attrs.get(semconv::STREAM), Some(false));
    assert_eq!(call.closed.attrs.get(semconv::INPUT_TOKENS), Some(3));
    assert_eq!(call.closed.outcome, Some(Outcome::Failed));
    assert!(!format!("{call:?}").contains("canary"));
}

#[test]
fn swiftide() {
    let recorded = recorded(|| {
        debug_span!("chat", gen_ai.operation.name = "chat").in_scope(|| {
            debug!(
                langfuse.model = "m",
                langfuse.input = %r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#,
                langfuse.output = %r#"{"choices":[{"message":{"role":"assistant","content":"hi"}}]}"#,
                langfuse.usage = %r#"{"prompt_tokens":9,"completion_tokens":1}"#,
            );
        });
    });
    let call = recorded.call();
    assert_eq!(call.opened.attrs.text(semconv::REQUEST_MODEL), Some("m"));
    assert_eq!(call.closed.attrs.get(semconv::INPUT_TOKENS), Some(9));
    let (Given::Request(request), Returned::Answer(answer)) = (&call.given, &call.returned) else { panic!() };
    assert_eq!((request.items[0].length, answer.items[0].length), (Some(5), Some(2)));
}

#[test]
fn older_genai_names() {
    let recorded = recorded(|| {
        drop(info_span!(
            "chat",
            gen_ai.system = "openai",
            gen_ai.request.model = "m",
            gen_ai.prompt = "hello",
            gen_ai.completion = "hi",
            gen_ai.usage.prompt_tokens = "4",
            gen_ai.usage.completion_tokens = 2,
        ));
    });
    let call = recorded.call();
    assert_eq!(call.opened.attrs.text(semconv::PROVIDER_NAME), Some("openai"));
    assert_eq!(call.closed.attrs.get(semconv::INPUT_TOKENS), Some(4));
    assert_eq!(call.closed.attrs.get(semconv::OUTPUT_TOKENS), Some(2));
    let (Given::Request(request), Returned::Answer(answer)) = (&call.given, &call.returned) else { panic!() };
    assert_eq!((request.items[0].length, answer.items[0].length), (Some(5), Some(2)));
}

#[test]
fn openinference() {
    let recorded = recorded(|| {
        info_span!("agent", openinference.span.kind = "AGENT", agent.name = "planner", input.value = "canary")
            .in_scope(|| {
                drop(info_span!(
                    "llm",
                    openinference.span.kind = "LLM",
                    llm.provider = "openai",
                    llm.model_name = "m",
                    llm.invocation_parameters = r#"{"temperature":0.5,"max_tokens":64,"stop":["canary"]}"#,
                    llm.token_count.prompt = 4_u64,
                    llm.token_count.prompt_details.cache_write = 2,
                    llm.finish_reason = "stop",
                    "llm.input_messages.1.message.content" = "there",
                    "llm.input_messages.0.message.role" = "system",
                    "llm.input_messages.0.message.content" = "hello",
                    output.value = "hi",
                ));
                drop(info_span!(
                    "tool",
                    openinference.span.kind = "TOOL",
                    tool.name = "shell",
                    tool.parameters = "{}",
                    output.value = "done",
                ));
                drop(info_span!("chain", openinference.span.kind = "CHAIN"));
            });
    });
    let calls = recorded.calls();
    let kinds: Vec<_> = calls.iter().map(|call| call.kind).collect();
    assert_eq!(kinds, [CallKind::Turn, CallKind::Inference, CallKind::Tool]);
    assert_eq!(calls[0].opened.attrs.text(semconv::AGENT_NAME), Some("planner"));
    let llm = &calls[1];
    assert_eq!(llm.opened.attrs.get(semconv::TEMPERATURE), Some(0.5));
    assert_eq!(llm.opened.attrs.get(semconv::MAX_TOKENS), Some(64));
    assert_eq!(llm.closed.attrs.get(semconv::CACHE_CREATION_TOKENS), Some(2));
    assert_eq!(llm.closed.attrs.get(semconv::CACHE_WRITE_TOKENS), Some(2));
    assert_eq!(llm.closed.attrs.get(semconv::FINISH_REASONS).unwrap(), ["stop"]);
    let (Given::Request(request), Returned::Answer(answer)) = (&llm.given, &llm.returned) else { panic!() };
    let roles: Vec<_> = request.items.iter().map(|item| item.role.as_str()).collect();
    assert_eq!((roles, answer.items[0].length), (vec!["system", "user"], Some(2)));
    let (Given::Arguments(arguments), Returned::Result(result)) = (&calls[2].given, &calls[2].returned) else {
        panic!()
    };
    assert_eq!((arguments.length, result.length), (Some(2), Some(4)));
    assert!(!format!("{calls:?}").contains("canary"));
}

#[test]
fn openllmetry() {
    let recorded = recorded(|| {
        info_span!("workflow", traceloop.span.kind = "workflow").in_scope(|| {
            info_span!("planner.agent", traceloop.span.kind = "agent").in_scope(|| {
                drop(info_span!(
                    "openai.chat",
                    llm.request.type = "chat",
                    gen_ai.system = "OpenAI",
                    gen_ai.request.model = "m",
                    llm.is_streaming = "true",
                    "gen_ai.prompt.0.role" = "user",
                    "gen_ai.prompt.0.content" = "hello",
                    "gen_ai.completion.0.content" = "hi",
                    "gen_ai.completion.0.finish_reason" = "stop",
                ));
                drop(info_span!("search.tool", traceloop.span.kind = "tool", traceloop.entity.input = "{}"));
            });
        });
    });
    let calls = recorded.calls();
    let kinds: Vec<_> = calls.iter().map(|call| call.kind).collect();
    assert_eq!(kinds, [CallKind::Workflow, CallKind::Turn, CallKind::Inference, CallKind::Tool]);
    assert_eq!(calls[2].opened.attrs.get(semconv::STREAM), Some(true));
    let (Given::Request(request), Returned::Answer(answer)) = (&calls[2].given, &calls[2].returned) else { panic!() };
    assert_eq!((request.items[0].length, answer.items[0].length), (Some(5), Some(2)));
    assert_eq!(calls[2].opened.span.parent, Some(calls[1].opened.span.span));
}

#[test]
fn messages_in_many_fields_have_the_digests_of_the_same_messages_in_one() {
    let recorded = recorded(|| {
        let flat = info_span!(
            "openai.chat",
            llm.request.type = "chat",
            "gen_ai.prompt.0.role" = "user",
            "gen_ai.prompt.0.content" = "hello",
            "gen_ai.prompt.1.role" = "assistant",
            "gen_ai.prompt.1.tool_calls.0.id" = "c1",
            "gen_ai.prompt.1.tool_calls.0.name" = "shell",
            "gen_ai.prompt.1.tool_calls.0.arguments" = r#"{"b":2,"a":1}"#,
            "gen_ai.prompt.2.role" = "tool",
            "gen_ai.prompt.2.content" = "done",
            "gen_ai.prompt.2.tool_call_id" = Empty,
            "gen_ai.completion.0.finish_reason" = Empty,
            "gen_ai.completion.0.content" = Empty,
        );
        flat.record("gen_ai.prompt.2.tool_call_id", "c1");
        flat.record("gen_ai.completion.0.finish_reason", "stop");
        flat.record("gen_ai.completion.0.content", "hi");
        drop(flat);
        drop(info_span!(
            "llm",
            openinference.span.kind = "LLM",
            "llm.input_messages.2.message.role" = "tool",
            "llm.input_messages.2.message.contents.0.message_content.text" = "done",
            "llm.input_messages.2.message.tool_call_id" = "c1",
            "llm.input_messages.1.message.role" = "assistant",
            "llm.input_messages.1.message.tool_calls.0.tool_call.id" = "c1",
            "llm.input_messages.1.message.tool_calls.0.tool_call.function.name" = "shell",
            "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments" = r#"{"a":1,"b":2}"#,
            "llm.input_messages.0.message.content" = "hello",
            "llm.output_messages.0.message.content" = "hi",
        ));
        drop(info_span!(
            "chat",
            gen_ai.operation.name = "chat",
            gen_ai.input.messages = r#"[
                {"role":"user","parts":[{"type":"text","content":"hello"}]},
                {"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"shell","arguments":{"a":1,"b":2}}]},
                {"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":"done"}]}]"#,
            gen_ai.output.messages = r#"[{"role":"assistant","parts":[{"type":"text","content":"hi"}]}]"#,
        ));
    });
    let calls = recorded.calls();
    assert_eq!(calls[0].closed.attrs.get(semconv::FINISH_REASONS).unwrap(), ["stop"]);
    let told: Vec<_> = calls
        .iter()
        .map(|call| {
            let (Given::Request(request), Returned::Answer(answer)) = (&call.given, &call.returned) else { panic!() };
            let input = request.items.iter().map(|item| item.digest.unwrap().to_string());
            input.chain(answer.items.iter().map(|item| item.digest.unwrap().to_string())).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(told[0].len(), 4);
    assert_eq!((&told[0], &told[1]), (&told[2], &told[2]));
}

#[test]
fn an_evaluation_tells_of_a_call_and_is_none() {
    use veilspan::intake::Drop;
    let recorded = recorded(|| {
        drop(info_span!(
            "genai.evaluation.result",
            gen_ai.evaluation.name = "relevance",
            gen_ai.evaluation.explanation = "canary",
            gen_ai.response.id = "chatcmpl-1",
        ));
    });
    assert!(recorded.calls().is_empty());
    assert_eq!(recorded.recorder.counts().dropped.of(Drop::UnmappedOperation), 1);
}

#[test]
fn parameters_in_one_field_are_told_under_the_conventions_names() {
    let recorded = recorded(|| {
        drop(info_span!(
            "llm",
            openinference.span.kind = "LLM",
            llm.invocation_parameters = r#"{"n":2,"max_completion_tokens":9,"top_k":3,"seed":7,"stop":"canary"}"#,
        ));
    });
    let call = recorded.call();
    let attrs = &call.opened.attrs;
    assert_eq!((attrs.get(semconv::CHOICE_COUNT), attrs.get(semconv::MAX_TOKENS)), (Some(2), Some(9)));
    assert_eq!((attrs.get(semconv::TOP_K), attrs.get(semconv::SEED)), (Some(3.0), Some(7)));
    assert!(!format!("{call:?}").contains("canary"));
}
