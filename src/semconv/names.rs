//! The table. A row reads `CONSTANT: "key", type, class, origin, phase;`.

use bytestring::ByteString;

use super::table::{Attr, Name, Origin, Phase, Type};
use super::{Class, Field};

pub(super) const UNNAMED: Name = Name {
    key: "",
    kind: Type::Text,
    class: Class::Content(Field::Prompts),
    origin: Origin::Veilspan,
    phase: Phase::Foreign,
};

macro_rules! rust_type {
    (Text) => { ByteString };
    (Int) => { i64 };
    (Double) => { f64 };
    (Bool) => { bool };
    (Texts) => { Vec<ByteString> };
    (Ints) => { Vec<i64> };
    (Any) => { () };
}

macro_rules! class {
    (Content $field:ident) => {
        Class::Content(Field::$field)
    };
    ($class:ident) => {
        Class::$class
    };
}

macro_rules! names {
    ($($constant:ident: $key:literal, $kind:ident, $class:ident $($field:ident)?, $origin:ident, $phase:ident;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u16)]
        enum Place { $($constant),* }

        $(
            #[doc = concat!("`", $key, "`")]
            pub const $constant: Attr<rust_type!($kind)> = Attr::new(Place::$constant as u16);
        )*

        pub(super) static TABLE: &[Name] = &[$(Name {
            key: $key,
            kind: Type::$kind,
            class: class!($class $($field)?),
            origin: Origin::$origin,
            phase: Phase::$phase,
        }),*];
    };
}

names! {
    // What the conventions have, v1.41.
    OPERATION_NAME: "gen_ai.operation.name", Text, Label, GenAi, Opened;
    PROVIDER_NAME: "gen_ai.provider.name", Text, Label, GenAi, Opened;
    REQUEST_MODEL: "gen_ai.request.model", Text, Label, GenAi, Opened;
    CONVERSATION_ID: "gen_ai.conversation.id", Text, Label, GenAi, Opened;
    OUTPUT_TYPE: "gen_ai.output.type", Text, Label, GenAi, Opened;
    CHOICE_COUNT: "gen_ai.request.choice.count", Int, Number, GenAi, Opened;
    SEED: "gen_ai.request.seed", Int, Number, GenAi, Opened;
    STREAM: "gen_ai.request.stream", Bool, Number, GenAi, Opened;
    TOP_K: "gen_ai.request.top_k", Double, Number, GenAi, Opened;
    TOP_P: "gen_ai.request.top_p", Double, Number, GenAi, Opened;
    TEMPERATURE: "gen_ai.request.temperature", Double, Number, GenAi, Opened;
    FREQUENCY_PENALTY: "gen_ai.request.frequency_penalty", Double, Number, GenAi, Opened;
    PRESENCE_PENALTY: "gen_ai.request.presence_penalty", Double, Number, GenAi, Opened;
    MAX_TOKENS: "gen_ai.request.max_tokens", Int, Number, GenAi, Opened;
    STOP_SEQUENCES: "gen_ai.request.stop_sequences", Texts, Content Prompts, GenAi, Foreign;
    AGENT_ID: "gen_ai.agent.id", Text, Label, GenAi, Opened;
    AGENT_NAME: "gen_ai.agent.name", Text, Label, GenAi, Opened;
    AGENT_VERSION: "gen_ai.agent.version", Text, Label, GenAi, Opened;
    AGENT_DESCRIPTION: "gen_ai.agent.description", Text, Content System, GenAi, Foreign;
    DATA_SOURCE_ID: "gen_ai.data_source.id", Text, Label, GenAi, Opened;
    WORKFLOW_NAME: "gen_ai.workflow.name", Text, Label, GenAi, Opened;
    TOOL_NAME: "gen_ai.tool.name", Text, Label, GenAi, Opened;
    TOOL_CALL_ID: "gen_ai.tool.call.id", Text, Label, GenAi, Opened;
    TOOL_TYPE: "gen_ai.tool.type", Text, Label, GenAi, Opened;
    TOOL_DESCRIPTION: "gen_ai.tool.description", Text, Content System, GenAi, Foreign;
    SERVER_ADDRESS: "server.address", Text, Label, Otel, Opened;
    SERVER_PORT: "server.port", Int, Number, Otel, Opened;
    RESPONSE_ID: "gen_ai.response.id", Text, Label, GenAi, Closed;
    RESPONSE_MODEL: "gen_ai.response.model", Text, Label, GenAi, Closed;
    FINISH_REASONS: "gen_ai.response.finish_reasons", Texts, Reason, GenAi, Closed;
    TIME_TO_FIRST_CHUNK: "gen_ai.response.time_to_first_chunk", Double, Number, GenAi, Closed;
    INPUT_TOKENS: "gen_ai.usage.input_tokens", Int, Number, GenAi, Closed;
    OUTPUT_TOKENS: "gen_ai.usage.output_tokens", Int, Number, GenAi, Closed;
    CACHE_READ_TOKENS: "gen_ai.usage.cache_read.input_tokens", Int, Number, GenAi, Closed;
    CACHE_CREATION_TOKENS: "gen_ai.usage.cache_creation.input_tokens", Int, Number, GenAi, Closed;
    CACHE_WRITE_TOKENS: "gen_ai.usage.cache_write.input_tokens", Int, Number, GenAiNext, Closed;
    REASONING_TOKENS: "gen_ai.usage.reasoning.output_tokens", Int, Number, GenAi, Closed;
    ERROR_TYPE: "error.type", Text, Reason, Otel, Closed;

    // Content of the conventions: read from others, and written only at the levels that let content through.
    INPUT_MESSAGES: "gen_ai.input.messages", Any, Content Prompts, GenAi, Foreign;
    OUTPUT_MESSAGES: "gen_ai.output.messages", Any, Content Completions, GenAi, Foreign;
    SYSTEM_INSTRUCTIONS: "gen_ai.system_instructions", Any, Content System, GenAi, Foreign;
    TOOL_DEFINITIONS: "gen_ai.tool.definitions", Any, Content System, GenAi, Foreign;
    TOOL_CALL_ARGUMENTS: "gen_ai.tool.call.arguments", Any, Content ToolArguments, GenAi, Foreign;
    TOOL_CALL_RESULT: "gen_ai.tool.call.result", Any, Content ToolResults, GenAi, Foreign;
    RETRIEVAL_QUERY: "gen_ai.retrieval.query.text", Text, Content Prompts, GenAi, Foreign;
    RETRIEVAL_DOCUMENTS: "gen_ai.retrieval.documents", Any, Content ToolResults, GenAi, Foreign;
    EXCEPTION_TYPE: "exception.type", Text, Reason, Otel, Foreign;
    EXCEPTION_MESSAGE: "exception.message", Text, Content Errors, Otel, Foreign;
    EXCEPTION_STACKTRACE: "exception.stacktrace", Text, Content Errors, Otel, Foreign;

    // Older GenAI names.
    OLD_SYSTEM: "gen_ai.system", Text, Label, GenAiOld, Foreign;
    OLD_PROMPT: "gen_ai.prompt", Any, Content Prompts, GenAiOld, Foreign;
    OLD_COMPLETION: "gen_ai.completion", Any, Content Completions, GenAiOld, Foreign;
    OLD_PROMPT_TOKENS: "gen_ai.usage.prompt_tokens", Int, Number, GenAiOld, Foreign;
    OLD_COMPLETION_TOKENS: "gen_ai.usage.completion_tokens", Int, Number, GenAiOld, Foreign;
    OLD_EVENT_INDEX: "index", Int, Number, GenAiOld, Foreign;
    SESSION_ID: "session.id", Text, Label, Otel, Foreign;

    // What other instrumentations put on GenAI spans, and is a number by its specification.
    THREAD_NUMBER: "thread.id", Int, Number, Otel, Foreign;
    CODE_LINE: "code.line.number", Int, Number, Otel, Foreign;
    HTTP_STATUS: "http.response.status_code", Int, Number, Otel, Foreign;
    HTTP_RESEND_COUNT: "http.request.resend_count", Int, Number, Otel, Foreign;
    NETWORK_PEER_PORT: "network.peer.port", Int, Number, Otel, Foreign;
    CLIENT_PORT: "client.port", Int, Number, Otel, Foreign;
    BUSY_NANOS: "busy_ns", Int, Number, Otel, Foreign;
    IDLE_NANOS: "idle_ns", Int, Number, Otel, Foreign;
    EMBEDDING_DIMENSIONS: "gen_ai.embeddings.dimension.count", Int, Number, GenAi, Foreign;
    RETRIEVAL_TOP_K: "gen_ai.retrieval.top_k", Int, Number, GenAiNext, Foreign;
    MEMORY_RECORD_COUNT: "gen_ai.memory.record.count", Int, Number, GenAiNext, Foreign;
    EVALUATION_SCORE: "gen_ai.evaluation.score.value", Double, Number, GenAi, Foreign;
    PROCESS_EXIT_CODE: "process.exit.code", Int, Number, Otel, Foreign;

    // Ours: identity.
    ROLLOUT_ID: "veilspan.rollout.id", Text, Label, Veilspan, Core;
    THREAD_ID: "veilspan.thread.id", Text, Label, Veilspan, Core;
    TURN_ID: "veilspan.turn.id", Text, Label, Veilspan, Core;
    TENANT_ID: "veilspan.tenant.id", Text, Label, Veilspan, Core;
    PRODUCER_ID: "veilspan.producer.id", Text, Label, Veilspan, Core;
    SEQ: "veilspan.seq", Int, Number, Veilspan, Core;
    SEQ_END: "veilspan.seq.end", Int, Number, Veilspan, Core;
    CALL_ID: "veilspan.call.id", Text, Label, Veilspan, Core;
    POLICY: "veilspan.policy", Text, Policy, Veilspan, Core;
    OUTCOME: "veilspan.outcome", Text, Constant, Veilspan, Core;
    OPERATION_ID: "veilspan.operation.id", Text, Label, Veilspan, Opened;
    ATTEMPT: "veilspan.attempt", Int, Number, Veilspan, Opened;
    SEGMENT: "veilspan.segment", Int, Number, Veilspan, Opened;
    CALLER: "veilspan.caller", Text, Label, Veilspan, Opened;
    IMPORTANCE: "veilspan.importance", Double, Number, Veilspan, Opened;
    TOOL_REQUESTER: "veilspan.tool.requester", Text, Constant, Veilspan, Opened;
    TOOL_REQUESTER_ID: "veilspan.tool.requester.id", Text, Label, Veilspan, Opened;
    MCP_SERVER: "veilspan.mcp.server", Text, Label, Veilspan, Opened;
    ROLLOUT_END: "veilspan.rollout.end", Bool, Number, Veilspan, Closed;
    ERROR_KIND: "veilspan.error.kind", Text, Reason, Veilspan, Closed;
    ERROR_RETRYABLE: "veilspan.error.retryable", Bool, Number, Veilspan, Closed;
    END_INFERRED: "veilspan.end.inferred", Bool, Number, Veilspan, Closed;
    USAGE_MISSING: "veilspan.usage.missing", Text, Constant, Veilspan, Closed;

    // Ours: digests and lengths of content.
    INPUT_DIGESTS: "veilspan.input.digests", Texts, Digest, Veilspan, Core;
    INPUT_ROLES: "veilspan.input.roles", Texts, Constant, Veilspan, Core;
    INPUT_LENGTHS: "veilspan.input.lengths", Ints, Number, Veilspan, Core;
    INPUT_PART_KINDS: "veilspan.input.part_kinds", Texts, Constant, Veilspan, Core;
    INPUT_PREFIX: "veilspan.input.prefix", Text, Digest, Veilspan, Core;
    INPUT_CHAIN: "veilspan.input.chain", Text, Digest, Veilspan, Core;
    INPUT_OMITTED: "veilspan.input.omitted", Int, Number, Veilspan, Core;
    INPUT_BLOB_DIGESTS: "veilspan.input.blob_digests", Texts, Digest, Veilspan, Core;
    SYSTEM_DIGEST: "veilspan.system.digest", Text, Digest, Veilspan, Core;
    SYSTEM_LENGTH: "veilspan.system.length", Int, Number, Veilspan, Core;
    TOOLS_DIGEST: "veilspan.tools.digest", Text, Digest, Veilspan, Core;
    OUTPUT_DIGESTS: "veilspan.output.digests", Texts, Digest, Veilspan, Core;
    OUTPUT_LENGTHS: "veilspan.output.lengths", Ints, Number, Veilspan, Core;
    OUTPUT_BLOB_DIGESTS: "veilspan.output.blob_digests", Texts, Digest, Veilspan, Core;
    TOOL_ARGUMENTS_DIGEST: "veilspan.tool.arguments.digest", Text, Digest, Veilspan, Core;
    TOOL_ARGUMENTS_EXACT: "veilspan.tool.arguments.exact", Text, Digest, Veilspan, Core;
    TOOL_ARGUMENTS_LENGTH: "veilspan.tool.arguments.length", Int, Number, Veilspan, Core;
    TOOL_RESULT_DIGEST: "veilspan.tool.result.digest", Text, Digest, Veilspan, Core;
    TOOL_RESULT_LENGTH: "veilspan.tool.result.length", Int, Number, Veilspan, Core;

    // Ours: what reduction writes.
    ROLLOUT_GENERATION: "veilspan.rollout.generation", Int, Number, Veilspan, Core;
    ROLLOUT_REASON: "veilspan.rollout.reason", Text, Constant, Veilspan, Core;
    ROLLOUT_THREADS: "veilspan.rollout.threads", Int, Number, Veilspan, Core;
    ROLLOUT_TURNS: "veilspan.rollout.turns", Int, Number, Veilspan, Core;
    ROLLOUT_INFERENCES: "veilspan.rollout.inferences", Int, Number, Veilspan, Core;
    ROLLOUT_TOOL_CALLS: "veilspan.rollout.tool_calls", Int, Number, Veilspan, Core;
    ROLLOUT_FINDINGS: "veilspan.rollout.findings", Int, Number, Veilspan, Core;
    REVISION: "veilspan.revision", Int, Number, Veilspan, Core;
    LATE: "veilspan.late", Bool, Number, Veilspan, Core;
    EDGE_KIND: "veilspan.edge.kind", Text, Constant, Veilspan, Core;
    FINDING_KIND: "veilspan.finding.kind", Text, Constant, Veilspan, Core;
    FINDING_SEVERITY: "veilspan.finding.severity", Text, Constant, Veilspan, Core;
}
