//! Names that libraries have for what the GenAI conventions name, or that the conventions have by now renamed.
//!
//! Each row says who emits the name. Names of the conventions themselves come from the one table in `semconv`, and win
//! over an alias of theirs on the same span.

use super::slot::{End, Identity, Said, Slot, Words};
use crate::semconv::{self as names, Attr};

pub(super) struct Alias {
    pub(super) name: &'static str,
    pub(super) slot: Slot,
    /// Who emits it. Shown by tests only; the row is read by people.
    #[allow(dead_code)]
    pub(super) origin: Origin,
}

/// Who emits a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The conventions, where they need more than the table's type.
    GenAi,
    /// The conventions before v1.37.
    OldGenAi,
    /// General conventions of OpenTelemetry.
    Otel,
    /// rig-core and rig-agent, 0.42 to 0.46.
    Rig,
    /// goose's state machine.
    Goose,
    /// swiftide's events with the feature `langfuse`.
    Swiftide,
    /// langchain-rust 7, and others that use the same plain words.
    LangchainRust,
    /// OpenInference.
    OpenInference,
    /// OpenLLMetry.
    OpenLlmetry,
    /// Ours: what a caller may put on its own spans.
    Veilspan,
}

use Origin::{GenAi, Goose, LangchainRust, OldGenAi, OpenInference, OpenLlmetry, Otel, Rig, Swiftide, Veilspan};

const fn attr<T>(attr: Attr<T>) -> Slot {
    Slot::Attr(attr.id())
}

macro_rules! rows {
    ($($name:literal => $slot:expr, $origin:ident;)*) => {
        &[$(Alias { name: $name, slot: $slot, origin: $origin }),*]
    };
}

/// Names that say by themselves what they are.
pub(super) static ALIASES: &[Alias] = rows! {
    "gen_ai.operation.name" => Slot::Operation(Words::GenAi), GenAi;
    // The convention's event, which genai makes a span of: it tells of a call and is none.
    "gen_ai.evaluation.name" => Slot::Operation(Words::Evaluation), GenAi;
    "gen_ai.response.finish_reasons" => Slot::FinishReasons, GenAi;
    "gen_ai.usage.cache_creation.input_tokens" => Slot::CacheWrite, GenAi;
    "gen_ai.usage.cache_write.input_tokens" => Slot::CacheWrite, GenAi;
    "gen_ai.input.messages" => Slot::Said(Said::InputMessages), GenAi;
    "gen_ai.output.messages" => Slot::Said(Said::OutputMessages), GenAi;
    "gen_ai.system_instructions" => Slot::Said(Said::System), GenAi;
    "gen_ai.tool.definitions" => Slot::Said(Said::Tools), GenAi;
    "gen_ai.tool.call.arguments" => Slot::Said(Said::Arguments), GenAi;
    "gen_ai.tool.call.result" => Slot::Said(Said::Result), GenAi;
    "gen_ai.retrieval.query.text" => Slot::Said(Said::Query), GenAi;
    "gen_ai.retrieval.documents" => Slot::Said(Said::Documents), GenAi;
    "gen_ai.memory.query.text" => Slot::Said(Said::Query), GenAi;
    "gen_ai.memory.records" => Slot::Said(Said::Documents), GenAi;

    "gen_ai.system" => attr(names::PROVIDER_NAME), OldGenAi;
    "gen_ai.prompt" => Slot::Said(Said::Input), OldGenAi;
    "gen_ai.completion" => Slot::Said(Said::Output), OldGenAi;
    "gen_ai.usage.prompt_tokens" => attr(names::INPUT_TOKENS), OldGenAi;
    "gen_ai.usage.completion_tokens" => attr(names::OUTPUT_TOKENS), OldGenAi;
    "gen_ai.response.finish_reason" => Slot::FinishReasons, OldGenAi;
    "gen_ai.openai.request.seed" => attr(names::SEED), OldGenAi;

    "error.type" => Slot::End(End::ErrorType), Otel;
    "error" => Slot::End(End::Error), Otel;
    "exception.type" => Slot::End(End::ExceptionType), Otel;
    "exception.message" => Slot::End(End::Exception), Otel;
    "exception.stacktrace" => Slot::End(End::Exception), Otel;
    "otel.status_code" => Slot::End(End::Status), Otel;
    "otel.status_description" => Slot::End(End::Error), Otel;
    "otel.status_message" => Slot::End(End::Error), Otel;

    "gen_ai.usage.reasoning_tokens" => attr(names::REASONING_TOKENS), Rig;
    "gen_ai.tool.error.type" => Slot::End(End::ErrorType), Rig;
    "gen_ai.tool.call.outcome" => Slot::End(End::Outcome), Rig;

    "session.id" => attr(names::CONVERSATION_ID), Goose;

    "langfuse.model" => attr(names::REQUEST_MODEL), Swiftide;
    "langfuse.input" => Slot::Said(Said::Input), Swiftide;
    "langfuse.output" => Slot::Said(Said::Output), Swiftide;
    "langfuse.usage" => Slot::Usage, Swiftide;

    "openinference.span.kind" => Slot::Operation(Words::OpenInference), OpenInference;
    "llm.provider" => attr(names::PROVIDER_NAME), OpenInference;
    "llm.system" => attr(names::PROVIDER_NAME), OpenInference;
    "llm.model_name" => attr(names::REQUEST_MODEL), OpenInference;
    "llm.request.model_name" => attr(names::REQUEST_MODEL), OpenInference;
    "llm.response.model_name" => attr(names::RESPONSE_MODEL), OpenInference;
    "embedding.model_name" => attr(names::REQUEST_MODEL), OpenInference;
    "llm.invocation_parameters" => Slot::Parameters, OpenInference;
    "llm.token_count.prompt" => attr(names::INPUT_TOKENS), OpenInference;
    "llm.token_count.completion" => attr(names::OUTPUT_TOKENS), OpenInference;
    "llm.token_count.prompt_details.cache_read" => attr(names::CACHE_READ_TOKENS), OpenInference;
    "llm.token_count.prompt_details.cache_write" => Slot::CacheWrite, OpenInference;
    "llm.token_count.completion_details.reasoning" => attr(names::REASONING_TOKENS), OpenInference;
    "llm.finish_reason" => Slot::FinishReasons, OpenInference;
    "llm.input_messages" => Slot::Said(Said::InputMessages), OpenInference;
    "llm.output_messages" => Slot::Said(Said::OutputMessages), OpenInference;
    "llm.tools" => Slot::Said(Said::Tools), OpenInference;
    "input.value" => Slot::Said(Said::Input), OpenInference;
    "output.value" => Slot::Said(Said::Output), OpenInference;
    "agent.name" => attr(names::AGENT_NAME), OpenInference;
    "tool.name" => attr(names::TOOL_NAME), OpenInference;
    "tool.id" => attr(names::TOOL_CALL_ID), OpenInference;
    "tool.parameters" => Slot::Said(Said::Arguments), OpenInference;

    "llm.request.type" => Slot::Operation(Words::TraceloopRequest), OpenLlmetry;
    "llm.vendor" => attr(names::PROVIDER_NAME), OpenLlmetry;
    "llm.request.model" => attr(names::REQUEST_MODEL), OpenLlmetry;
    "llm.response.model" => attr(names::RESPONSE_MODEL), OpenLlmetry;
    "llm.request.max_tokens" => attr(names::MAX_TOKENS), OpenLlmetry;
    "llm.temperature" => attr(names::TEMPERATURE), OpenLlmetry;
    "llm.top_p" => attr(names::TOP_P), OpenLlmetry;
    "llm.prompts" => Slot::Said(Said::InputMessages), OpenLlmetry;
    "llm.completions" => Slot::Said(Said::OutputMessages), OpenLlmetry;
    "llm.is_streaming" => attr(names::STREAM), OpenLlmetry;
    "llm.usage.prompt_tokens" => attr(names::INPUT_TOKENS), OpenLlmetry;
    "llm.usage.completion_tokens" => attr(names::OUTPUT_TOKENS), OpenLlmetry;
    "llm.usage.reasoning_tokens" => attr(names::REASONING_TOKENS), OpenLlmetry;
    "gen_ai.usage.cache_read_input_tokens" => attr(names::CACHE_READ_TOKENS), OpenLlmetry;
    "gen_ai.usage.cache_creation_input_tokens" => Slot::CacheWrite, OpenLlmetry;
    "llm.frequency_penalty" => attr(names::FREQUENCY_PENALTY), OpenLlmetry;
    "llm.presence_penalty" => attr(names::PRESENCE_PENALTY), OpenLlmetry;
    "llm.top_k" => attr(names::TOP_K), OpenLlmetry;
    "llm.response.finish_reason" => Slot::FinishReasons, OpenLlmetry;
    "llm.response.stop_reason" => Slot::FinishReasons, OpenLlmetry;
    "traceloop.span.kind" => Slot::Operation(Words::TraceloopKind), OpenLlmetry;
    "traceloop.entity.input" => Slot::Said(Said::Input), OpenLlmetry;
    "traceloop.entity.output" => Slot::Said(Said::Output), OpenLlmetry;

    "veilspan.tenant.id" => Slot::Identity(Identity::Tenant), Veilspan;
    "veilspan.rollout.id" => Slot::Identity(Identity::Rollout), Veilspan;
    "veilspan.thread.id" => Slot::Identity(Identity::Thread), Veilspan;
    "veilspan.turn.id" => Slot::Identity(Identity::Turn), Veilspan;
};

/// Plain words, which mean this only on a call site that has all of [`PLAIN_SIGNS`].
pub(super) static PLAIN: &[Alias] = rows! {
    "provider" => attr(names::PROVIDER_NAME), LangchainRust;
    "model" => attr(names::REQUEST_MODEL), LangchainRust;
    "stream" => attr(names::STREAM), LangchainRust;
    "prompt_tokens" => attr(names::INPUT_TOKENS), LangchainRust;
    "completion_tokens" => attr(names::OUTPUT_TOKENS), LangchainRust;
    "finish_reason" => Slot::FinishReasons, LangchainRust;
};

/// The plain words that make a call site a model request together. One alone could be anything.
pub(super) const PLAIN_SIGNS: [&str; 3] = ["model", "prompt_tokens", "completion_tokens"];

/// Beginnings of names that make a call site a GenAI one.
pub(super) const SIGNS: [&str; 7] = [
    "gen_ai.",
    "llm.input_messages",
    "llm.output_messages",
    "llm.token_count.",
    "llm.usage.",
    "llm.request.",
    "traceloop.span.",
];

/// Whole names that do.
pub(super) const WHOLE_SIGNS: [&str; 8] = [
    "langfuse.input",
    "langfuse.model",
    "langfuse.output",
    "langfuse.usage",
    "llm.invocation_parameters",
    "llm.model_name",
    "openinference.span.kind",
    "rig.completion_parent",
];

/// Names below one of [`SIGNS`] that also stand on spans which are no call: a service marks its own spans with them.
pub(super) const MARKS: [&str; 5] = [
    "gen_ai.agent.description",
    "gen_ai.agent.id",
    "gen_ai.agent.name",
    "gen_ai.agent.version",
    "gen_ai.conversation.id",
];
