//! Names that libraries have for what the GenAI conventions name, or that the conventions have by now renamed.
//!
//! Names of the conventions themselves, other dialects' names for the same and names of content come from the tables in
//! `semconv`; here stand those that need more than a value of the same type, or that `tracing` alone carries. A name of the
//! conventions wins over an alias of it on the same span.

use super::slot::{End, Identity, Slot, Words};
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
    /// General conventions of OpenTelemetry.
    Otel,
    /// rig-core and rig-agent, 0.42 to 0.46.
    Rig,
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

use Origin::{GenAi, LangchainRust, OpenInference, OpenLlmetry, Otel, Rig, Swiftide, Veilspan};

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

    "error.type" => Slot::End(End::ErrorType), Otel;
    "error" => Slot::End(End::Error), Otel;
    "exception.type" => Slot::End(End::ExceptionType), Otel;
    "exception.message" => Slot::End(End::Exception), Otel;
    "exception.stacktrace" => Slot::End(End::Exception), Otel;
    "otel.status_code" => Slot::End(End::Status), Otel;
    "otel.status_description" => Slot::End(End::Error), Otel;
    "otel.status_message" => Slot::End(End::Error), Otel;

    "gen_ai.tool.call.outcome" => Slot::End(End::Outcome), Rig;

    "langfuse.model" => attr(names::REQUEST_MODEL), Swiftide;
    "langfuse.usage" => Slot::Usage, Swiftide;

    "openinference.span.kind" => Slot::Operation(Words::OpenInference), OpenInference;
    "llm.invocation_parameters" => Slot::Parameters, OpenInference;

    "llm.request.type" => Slot::Operation(Words::TraceloopRequest), OpenLlmetry;
    "traceloop.span.kind" => Slot::Operation(Words::TraceloopKind), OpenLlmetry;

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
