//! What each library and vocabulary is known to emit, and what becomes of it: written from what they publish, not from the
//! tables of this room, so that a name that is missing there is missed here.

use super::aliases::PLAIN;
use super::slot::{End, Own, Slot};
use super::table::{Meaning, meaning, plain_meaning};
use crate::event::shape::flat;
use crate::semconv::Said;

/// What becomes of a field.
#[derive(Debug, PartialEq, Eq)]
enum Becomes {
    /// An attribute of this name.
    Attr(&'static str),
    /// Both names of the tokens that were written to a cache.
    CacheWrite,
    FinishReasons,
    /// Which call it is.
    Operation,
    Content(Said),
    /// A part of a message.
    Part,
    /// JSON with more than one thing in it.
    Json,
    /// How the call ended.
    End,
    /// Nothing: it is left out on purpose.
    Nothing,
}

use Becomes::{Attr, CacheWrite, Content, FinishReasons, Json, Nothing, Operation, Part};

fn becomes(meaning: Option<Meaning>, name: &str) -> Becomes {
    match meaning.map(|meaning| meaning.slot) {
        Some(Slot::Attr(id) | Slot::Own(Own { id, .. })) => Attr(id.name().key),
        Some(Slot::CacheWrite) => CacheWrite,
        Some(Slot::FinishReasons) => FinishReasons,
        Some(Slot::Operation(_)) => Operation,
        Some(Slot::Said(said)) => Content(said),
        Some(Slot::Parameters | Slot::Usage) => Json,
        Some(Slot::End(
            End::ErrorType | End::ExceptionType | End::Exception | End::Error | End::Status | End::Outcome,
        )) => Becomes::End,
        Some(Slot::Identity(_) | Slot::Part(..)) => Nothing,
        None if flat::meaning(name).is_some() => Part,
        None => Nothing,
    }
}

fn check(origin: &str, facts: &[(&str, Becomes)]) {
    for (name, expected) in facts {
        assert_eq!(becomes(meaning(name), name), *expected, "{origin}: {name}");
    }
}

const INPUT: Becomes = Attr("gen_ai.usage.input_tokens");
const OUTPUT: Becomes = Attr("gen_ai.usage.output_tokens");
const REASONING: Becomes = Attr("gen_ai.usage.reasoning.output_tokens");
const CACHE_READ: Becomes = Attr("gen_ai.usage.cache_read.input_tokens");
const PROVIDER: Becomes = Attr("gen_ai.provider.name");
const MODEL: Becomes = Attr("gen_ai.request.model");
const RESPONSE_MODEL: Becomes = Attr("gen_ai.response.model");

/// Names of the conventions that are attributes as they are.
const AS_THEY_ARE: &[&str] = &[
    "gen_ai.agent.id",
    "gen_ai.agent.name",
    "gen_ai.agent.version",
    "gen_ai.conversation.id",
    "gen_ai.embeddings.dimension.count",
    "gen_ai.memory.record.id",
    "gen_ai.memory.store.id",
    "gen_ai.request.encoding_formats",
    "gen_ai.request.previous_response.id",
    "gen_ai.request.reasoning.level",
    "gen_ai.retrieval.top_k",
    "mcp.method.name",
    "gen_ai.data_source.id",
    "gen_ai.output.type",
    "gen_ai.provider.name",
    "gen_ai.request.choice.count",
    "gen_ai.request.frequency_penalty",
    "gen_ai.request.max_tokens",
    "gen_ai.request.model",
    "gen_ai.request.presence_penalty",
    "gen_ai.request.seed",
    "gen_ai.request.stream",
    "gen_ai.request.temperature",
    "gen_ai.request.top_k",
    "gen_ai.request.top_p",
    "gen_ai.response.id",
    "gen_ai.response.model",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.tool.call.id",
    "gen_ai.tool.name",
    "gen_ai.tool.type",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.workflow.name",
    "server.address",
    "server.port",
    "veilspan.attempt",
    "veilspan.caller",
    "veilspan.importance",
    "veilspan.operation.id",
    "veilspan.rollout.end",
    "veilspan.segment",
];

#[test]
fn the_conventions() {
    for &name in AS_THEY_ARE {
        assert_eq!(becomes(meaning(name), name), Attr(name));
    }
    check(
        "v1.41",
        &[
            ("gen_ai.operation.name", Operation),
            ("gen_ai.response.finish_reasons", FinishReasons),
            ("gen_ai.usage.cache_creation.input_tokens", CacheWrite),
            ("gen_ai.usage.cache_write.input_tokens", CacheWrite),
            ("gen_ai.input.messages", Content(Said::InputMessages)),
            ("gen_ai.output.messages", Content(Said::OutputMessages)),
            ("gen_ai.system_instructions", Content(Said::System)),
            ("gen_ai.tool.definitions", Content(Said::Tools)),
            ("gen_ai.tool.call.arguments", Content(Said::Arguments)),
            ("gen_ai.tool.call.result", Content(Said::Result)),
            ("gen_ai.retrieval.query.text", Content(Said::Query)),
            ("gen_ai.retrieval.documents", Content(Said::Documents)),
            ("gen_ai.memory.query.text", Content(Said::Query)),
            ("gen_ai.memory.records", Content(Said::Documents)),
            ("error.type", Becomes::End),
            ("exception.type", Becomes::End),
            ("exception.message", Becomes::End),
            ("exception.stacktrace", Becomes::End),
            // Texts that were said or written by somebody, and have no digest of their own.
            ("gen_ai.request.stop_sequences", Nothing),
            ("gen_ai.agent.description", Nothing),
            ("gen_ai.tool.description", Nothing),
            // Of an event that tells of a call.
            ("gen_ai.evaluation.name", Operation),
            ("gen_ai.evaluation.explanation", Nothing),
            // Of one provider, of MCP's transport, and of the text after v1.41.
            ("openai.request.service_tier", Nothing),
            ("openai.response.system_fingerprint", Nothing),
            ("mcp.session.id", Nothing),
            ("gen_ai.conversation.compacted", Nothing),
            ("gen_ai.usage.image.input_tokens", Nothing),
        ],
    );
}

#[test]
fn older_names_of_the_conventions() {
    check(
        "before v1.37",
        &[
            ("gen_ai.system", PROVIDER),
            ("gen_ai.prompt", Content(Said::Input)),
            ("gen_ai.completion", Content(Said::Output)),
            ("gen_ai.usage.prompt_tokens", INPUT),
            ("gen_ai.usage.completion_tokens", OUTPUT),
            ("gen_ai.openai.request.seed", Attr("gen_ai.request.seed")),
            // Sums, prices and a provider's own settings.
            ("gen_ai.usage.total_tokens", Nothing),
            ("gen_ai.usage.cost", Nothing),
            ("gen_ai.openai.request.service_tier", Nothing),
            ("gen_ai.openai.request.response_format", Nothing),
        ],
    );
}

#[test]
fn rig_genai_and_goose() {
    check(
        "rig 0.44",
        &[
            ("gen_ai.usage.reasoning_tokens", REASONING),
            ("gen_ai.tool.call.outcome", Becomes::End),
            ("gen_ai.tool.error.type", Becomes::End),
            // Part of the input tokens, which the conventions do not tell apart.
            ("gen_ai.usage.tool_use_prompt_tokens", Nothing),
            ("rig.provider_request_id", Nothing),
            ("rig.completion_parent", Nothing),
        ],
    );
    check(
        "genai 0.7.2",
        &[
            ("otel.status_code", Becomes::End),
            // The layer names and classes spans by what they are.
            ("otel.name", Nothing),
            ("otel.kind", Nothing),
        ],
    );
    check("goose", &[("session.id", Attr("gen_ai.conversation.id")), ("goose.chat.purpose", Nothing)]);
}

#[test]
fn langchain_rust_and_swiftide() {
    let plain = [
        ("provider", PROVIDER),
        ("model", MODEL),
        ("stream", Attr("gen_ai.request.stream")),
        ("prompt_tokens", INPUT),
        ("completion_tokens", OUTPUT),
        ("finish_reason", FinishReasons),
        ("total_tokens", Nothing),
        ("tool_calls", Nothing),
        ("tool", Nothing),
        ("step", Nothing),
    ];
    for (name, expected) in plain {
        assert_eq!(becomes(plain_meaning(name), name), expected, "langchain-rust 7: {name}");
        assert_eq!(becomes(meaning(name), name), Nothing, "a plain word by itself: {name}");
    }
    assert_eq!(PLAIN.len(), 6);
    check("langchain-rust 7", &[("error", Becomes::End)]);
    check(
        "swiftide 0.33",
        &[
            ("langfuse.model", MODEL),
            ("langfuse.input", Content(Said::Input)),
            ("langfuse.output", Content(Said::Output)),
            ("langfuse.usage", Json),
            ("message", Nothing),
            ("cmd", Nothing),
        ],
    );
}

#[test]
fn openinference() {
    check(
        "OpenInference",
        &[
            ("openinference.span.kind", Operation),
            ("llm.provider", PROVIDER),
            ("llm.system", PROVIDER),
            ("session.id", Attr("gen_ai.conversation.id")),
            ("llm.model_name", MODEL),
            ("embedding.model_name", MODEL),
            ("llm.request.model_name", MODEL),
            ("llm.response.model_name", RESPONSE_MODEL),
            ("llm.invocation_parameters", Json),
            ("llm.token_count.prompt", INPUT),
            ("llm.token_count.completion", OUTPUT),
            ("llm.token_count.prompt_details.cache_read", CACHE_READ),
            ("llm.token_count.prompt_details.cache_write", CacheWrite),
            ("llm.token_count.completion_details.reasoning", REASONING),
            ("llm.input_messages", Content(Said::InputMessages)),
            ("llm.output_messages", Content(Said::OutputMessages)),
            ("llm.input_messages.0.message.role", Part),
            ("llm.input_messages.0.message.content", Part),
            ("llm.input_messages.0.message.contents.1.message_content.text", Part),
            ("llm.input_messages.0.message.tool_call_id", Part),
            ("llm.output_messages.0.message.tool_calls.0.tool_call.id", Part),
            ("llm.output_messages.0.message.tool_calls.0.tool_call.function.name", Part),
            ("llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments", Part),
            ("llm.prompts.0.prompt.text", Part),
            ("llm.choices.0.completion.text", Part),
            ("llm.finish_reason", FinishReasons),
            ("llm.tools", Content(Said::Tools)),
            ("tool.name", Attr("gen_ai.tool.name")),
            ("tool.id", Attr("gen_ai.tool.call.id")),
            ("tool.parameters", Content(Said::Arguments)),
            ("input.value", Content(Said::Input)),
            ("output.value", Content(Said::Output)),
            ("agent.name", Attr("gen_ai.agent.name")),
            // Sums, prices, and what names a type or a way of a text that is content.
            ("llm.token_count.total", Nothing),
            ("llm.cost.total", Nothing),
            ("input.mime_type", Nothing),
            ("output.mime_type", Nothing),
            ("tool.description", Nothing),
            ("llm.prompt_template.template", Nothing),
            ("llm.input_messages.0.message.contents.0.message_content.image.image.url", Part),
            // Of lists of documents in many fields, of operations that are no calls of ours, and of readers.
            ("retrieval.documents.0.document.content", Nothing),
            ("reranker.query", Nothing),
            ("graph.node.id", Nothing),
            ("user.id", Nothing),
            ("metadata", Nothing),
            ("tag.tags", Nothing),
        ],
    );
}

#[test]
fn openllmetry() {
    check(
        "OpenLLMetry",
        &[
            ("traceloop.span.kind", Operation),
            ("llm.request.type", Operation),
            ("traceloop.entity.input", Content(Said::Input)),
            ("traceloop.entity.output", Content(Said::Output)),
            ("gen_ai.prompt.0.role", Part),
            ("gen_ai.prompt.0.content", Part),
            ("gen_ai.prompt.1.tool_call_id", Part),
            ("gen_ai.completion.0.content", Part),
            ("gen_ai.completion.0.finish_reason", Part),
            ("gen_ai.completion.0.tool_calls.0.id", Part),
            ("gen_ai.completion.0.tool_calls.0.name", Part),
            ("gen_ai.completion.0.tool_calls.0.arguments", Part),
            ("gen_ai.usage.cache_read_input_tokens", CACHE_READ),
            ("gen_ai.usage.cache_creation_input_tokens", CacheWrite),
            ("llm.usage.prompt_tokens", INPUT),
            ("llm.usage.completion_tokens", OUTPUT),
            ("llm.usage.reasoning_tokens", REASONING),
            ("llm.is_streaming", Attr("gen_ai.request.stream")),
            ("llm.frequency_penalty", Attr("gen_ai.request.frequency_penalty")),
            ("llm.presence_penalty", Attr("gen_ai.request.presence_penalty")),
            ("llm.top_k", Attr("gen_ai.request.top_k")),
            ("llm.response.finish_reason", FinishReasons),
            ("llm.response.stop_reason", FinishReasons),
            // Its names before those of the conventions.
            ("llm.vendor", PROVIDER),
            ("llm.request.model", MODEL),
            ("llm.response.model", RESPONSE_MODEL),
            ("llm.request.max_tokens", Attr("gen_ai.request.max_tokens")),
            ("llm.temperature", Attr("gen_ai.request.temperature")),
            ("llm.top_p", Attr("gen_ai.request.top_p")),
            ("llm.prompts", Content(Said::InputMessages)),
            ("llm.completions", Content(Said::OutputMessages)),
            // Sums, and names and properties that anybody may choose.
            ("llm.usage.total_tokens", Nothing),
            ("traceloop.entity.name", Nothing),
            ("traceloop.workflow.name", Attr("gen_ai.workflow.name")),
            ("traceloop.association.properties.user", Nothing),
            ("llm.chat.stop_sequences", Nothing),
            ("llm.headers", Nothing),
        ],
    );
}
