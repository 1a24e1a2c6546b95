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
    PREVIOUS_RESPONSE_ID: "gen_ai.request.previous_response.id", Text, Label, GenAiNext, Opened;
    REASONING_LEVEL: "gen_ai.request.reasoning.level", Text, Label, GenAiNext, Opened;
    ENCODING_FORMATS: "gen_ai.request.encoding_formats", Texts, Label, GenAi, Opened;
    EMBEDDING_DIMENSIONS: "gen_ai.embeddings.dimension.count", Int, Number, GenAi, Opened;
    RETRIEVAL_TOP_K: "gen_ai.retrieval.top_k", Int, Number, GenAiNext, Opened;
    MEMORY_STORE_ID: "gen_ai.memory.store.id", Text, Label, GenAiNext, Opened;
    MEMORY_RECORD_ID: "gen_ai.memory.record.id", Text, Label, GenAiNext, Opened;
    MCP_METHOD_NAME: "mcp.method.name", Text, Label, GenAi, Opened;
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
    MEMORY_RECORD_COUNT: "gen_ai.memory.record.count", Int, Number, GenAiNext, Closed;
    ERROR_TYPE: "error.type", Text, Reason, Otel, Closed;
    // On our own metrics, never on a span.
    COMPONENT_TYPE: "otel.component.type", Text, Label, Otel, Foreign;
    COMPONENT_NAME: "otel.component.name", Text, Label, Otel, Foreign;

    // Content of the conventions: read from others, and written only at the levels that let content through.
    INPUT_MESSAGES: "gen_ai.input.messages", Any, Content Prompts, GenAi, Core;
    OUTPUT_MESSAGES: "gen_ai.output.messages", Any, Content Completions, GenAi, Core;
    SYSTEM_INSTRUCTIONS: "gen_ai.system_instructions", Any, Content System, GenAi, Core;
    TOOL_DEFINITIONS: "gen_ai.tool.definitions", Any, Content System, GenAi, Core;
    TOOL_CALL_ARGUMENTS: "gen_ai.tool.call.arguments", Any, Content ToolArguments, GenAi, Core;
    TOOL_CALL_RESULT: "gen_ai.tool.call.result", Any, Content ToolResults, GenAi, Core;
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

    // Names of other dialects for what the conventions name, or for which call it is: read, never written.
    OI_SPAN_KIND: "openinference.span.kind", Text, Label, OpenInference, Foreign;
    OI_PROVIDER: "llm.provider", Text, Label, OpenInference, Foreign;
    OI_SYSTEM: "llm.system", Text, Label, OpenInference, Foreign;
    OI_MODEL: "llm.model_name", Text, Label, OpenInference, Foreign;
    OI_REQUEST_MODEL: "llm.request.model_name", Text, Label, OpenInference, Foreign;
    OI_RESPONSE_MODEL: "llm.response.model_name", Text, Label, OpenInference, Foreign;
    OI_EMBEDDING_MODEL: "embedding.model_name", Text, Label, OpenInference, Foreign;
    OI_AGENT_NAME: "agent.name", Text, Label, OpenInference, Foreign;
    OI_TOOL_NAME: "tool.name", Text, Label, OpenInference, Foreign;
    OI_TOOL_ID: "tool.id", Text, Label, OpenInference, Foreign;
    OI_FINISH_REASON: "llm.finish_reason", Text, Reason, OpenInference, Foreign;
    OI_PROMPT_TOKENS: "llm.token_count.prompt", Int, Number, OpenInference, Foreign;
    OI_COMPLETION_TOKENS: "llm.token_count.completion", Int, Number, OpenInference, Foreign;
    OI_CACHE_READ: "llm.token_count.prompt_details.cache_read", Int, Number, OpenInference, Foreign;
    OI_CACHE_WRITE: "llm.token_count.prompt_details.cache_write", Int, Number, OpenInference, Foreign;
    OI_REASONING: "llm.token_count.completion_details.reasoning", Int, Number, OpenInference, Foreign;
    OL_SPAN_KIND: "traceloop.span.kind", Text, Label, OpenLlmetry, Foreign;
    OL_ENTITY_NAME: "traceloop.entity.name", Text, Label, OpenLlmetry, Foreign;
    OL_WORKFLOW_NAME: "traceloop.workflow.name", Text, Label, OpenLlmetry, Foreign;
    OL_REQUEST_TYPE: "llm.request.type", Text, Label, OpenLlmetry, Foreign;
    OL_VENDOR: "llm.vendor", Text, Label, OpenLlmetry, Foreign;
    OL_REQUEST_MODEL: "llm.request.model", Text, Label, OpenLlmetry, Foreign;
    OL_RESPONSE_MODEL: "llm.response.model", Text, Label, OpenLlmetry, Foreign;
    OL_FINISH_REASON: "llm.response.finish_reason", Text, Reason, OpenLlmetry, Foreign;
    OL_STOP_REASON: "llm.response.stop_reason", Text, Reason, OpenLlmetry, Foreign;
    OL_STREAM: "llm.is_streaming", Bool, Number, OpenLlmetry, Foreign;
    OL_MAX_TOKENS: "llm.request.max_tokens", Int, Number, OpenLlmetry, Foreign;
    OL_TEMPERATURE: "llm.temperature", Double, Number, OpenLlmetry, Foreign;
    OL_TOP_P: "llm.top_p", Double, Number, OpenLlmetry, Foreign;
    OL_TOP_K: "llm.top_k", Double, Number, OpenLlmetry, Foreign;
    OL_FREQUENCY_PENALTY: "llm.frequency_penalty", Double, Number, OpenLlmetry, Foreign;
    OL_PRESENCE_PENALTY: "llm.presence_penalty", Double, Number, OpenLlmetry, Foreign;
    OL_PROMPT_TOKENS: "llm.usage.prompt_tokens", Int, Number, OpenLlmetry, Foreign;
    OL_COMPLETION_TOKENS: "llm.usage.completion_tokens", Int, Number, OpenLlmetry, Foreign;
    OL_REASONING: "llm.usage.reasoning_tokens", Int, Number, OpenLlmetry, Foreign;
    OL_CACHE_READ: "gen_ai.usage.cache_read_input_tokens", Int, Number, OpenLlmetry, Foreign;
    OL_CACHE_WRITE: "gen_ai.usage.cache_creation_input_tokens", Int, Number, OpenLlmetry, Foreign;
    OLD_FINISH_REASON: "gen_ai.response.finish_reason", Text, Reason, GenAiOld, Foreign;
    OLD_SEED: "gen_ai.openai.request.seed", Int, Number, GenAiOld, Foreign;
    RIG_REASONING: "gen_ai.usage.reasoning_tokens", Int, Number, Rig, Foreign;
    RIG_ERROR_TYPE: "gen_ai.tool.error.type", Text, Reason, Rig, Foreign;
    AI_OPERATION: "ai.operationId", Text, Label, VercelAi, Foreign;
    AI_FUNCTION: "ai.telemetry.functionId", Text, Label, VercelAi, Foreign;
    AI_PROVIDER: "ai.model.provider", Text, Label, VercelAi, Foreign;
    AI_MODEL: "ai.model.id", Text, Label, VercelAi, Foreign;
    AI_RESPONSE_ID: "ai.response.id", Text, Label, VercelAi, Foreign;
    AI_RESPONSE_MODEL: "ai.response.model", Text, Label, VercelAi, Foreign;
    AI_FINISH_REASON: "ai.response.finishReason", Text, Reason, VercelAi, Foreign;
    AI_TOOL_NAME: "ai.toolCall.name", Text, Label, VercelAi, Foreign;
    AI_TOOL_ID: "ai.toolCall.id", Text, Label, VercelAi, Foreign;
    AI_INPUT_TOKENS: "ai.usage.inputTokens", Int, Number, VercelAi, Foreign;
    AI_OUTPUT_TOKENS: "ai.usage.outputTokens", Int, Number, VercelAi, Foreign;
    AI_PROMPT_TOKENS: "ai.usage.promptTokens", Int, Number, VercelAi, Foreign;
    AI_COMPLETION_TOKENS: "ai.usage.completionTokens", Int, Number, VercelAi, Foreign;
    AI_REASONING: "ai.usage.reasoningTokens", Int, Number, VercelAi, Foreign;
    AI_CACHE_READ: "ai.usage.cachedInputTokens", Int, Number, VercelAi, Foreign;
    // Of two agents' own spans, where they mean this; anywhere else nothing but what they are.
    CC_SPAN_TYPE: "span.type", Text, Label, ClaudeCode, Foreign;
    CC_SUCCESS: "success", Bool, Number, ClaudeCode, Foreign;
    CC_DURATION: "duration_ms", Int, Number, ClaudeCode, Foreign;
    CC_FIRST_TOKEN: "ttft_ms", Int, Number, ClaudeCode, Foreign;
    CC_TOOL_NAME: "tool_name", Text, Label, ClaudeCode, Foreign;
    CC_TOOL_USE_ID: "tool_use_id", Text, Label, ClaudeCode, Foreign;
    CC_STOP_REASON: "stop_reason", Text, Reason, ClaudeCode, Foreign;
    CC_INPUT_TOKENS: "input_tokens", Int, Number, ClaudeCode, Foreign;
    CC_OUTPUT_TOKENS: "output_tokens", Int, Number, ClaudeCode, Foreign;
    CC_CACHE_READ: "cache_read_tokens", Int, Number, ClaudeCode, Foreign;
    CC_CACHE_CREATION: "cache_creation_tokens", Int, Number, ClaudeCode, Foreign;
    CC_ATTEMPT: "attempt", Int, Number, ClaudeCode, Foreign;
    CX_CALL_ID: "call_id", Text, Label, Codex, Foreign;
    CX_MODEL: "model", Text, Label, Codex, Foreign;
    CX_INPUT_TOKENS: "codex.turn.token_usage.input_tokens", Int, Number, Codex, Foreign;
    CX_OUTPUT_TOKENS: "codex.turn.token_usage.output_tokens", Int, Number, Codex, Foreign;
    CX_CACHE_READ: "codex.turn.token_usage.cached_input_tokens", Int, Number, Codex, Foreign;
    CX_CACHE_WRITE: "codex.turn.token_usage.cache_write_input_tokens", Int, Number, Codex, Foreign;
    CX_REASONING: "codex.turn.token_usage.reasoning_output_tokens", Int, Number, Codex, Foreign;

    // What other instrumentations put on GenAI spans, and is a number by its specification.
    THREAD_NUMBER: "thread.id", Int, Number, Otel, Foreign;
    CODE_LINE: "code.line.number", Int, Number, Otel, Foreign;
    HTTP_STATUS: "http.response.status_code", Int, Number, Otel, Foreign;
    HTTP_RESEND_COUNT: "http.request.resend_count", Int, Number, Otel, Foreign;
    NETWORK_PEER_PORT: "network.peer.port", Int, Number, Otel, Foreign;
    CLIENT_PORT: "client.port", Int, Number, Otel, Foreign;
    BUSY_NANOS: "busy_ns", Int, Number, Otel, Foreign;
    IDLE_NANOS: "idle_ns", Int, Number, Otel, Foreign;
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
    CONNECTION_ID: "veilspan.connection.id", Text, Label, Veilspan, Opened;
    CODE_CELL_ID: "veilspan.code_cell.id", Text, Label, Veilspan, Opened;
    CODE_CELL_RUNTIME_ID: "veilspan.code_cell.runtime_id", Text, Label, Veilspan, Opened;
    WAIT_FOR: "veilspan.wait.for", Text, Label, Veilspan, Opened;
    TERMINAL_OPERATION: "veilspan.terminal.operation", Text, Reason, Veilspan, Opened;
    COMPACTION_ID: "veilspan.compaction.id", Text, Label, Veilspan, Opened;
    COMPACTION_TRIGGER: "veilspan.compaction.trigger", Text, Label, Veilspan, Opened;
    APPROVAL_INDEX: "veilspan.approval.index", Int, Number, Veilspan, Opened;
    CANCEL_REASON: "veilspan.cancel.reason", Text, Reason, Veilspan, Opened;
    REPLAY_OF: "veilspan.replay.of", Text, Label, Veilspan, Opened;
    REPLAY_CHECKPOINT: "veilspan.replay.checkpoint", Text, Label, Veilspan, Opened;
    REPLAY_PROVENANCE: "veilspan.replay.provenance", Text, Reason, Veilspan, Opened;
    REPLAY_INTENDED: "veilspan.replay.intended", Text, Label, Veilspan, Opened;
    // Of what others recorded: threads, the two sides of a tool call, references to what was seen.
    AGENT_PATH: "veilspan.agent.path", Text, Label, Veilspan, Opened;
    AGENT_NICKNAME: "veilspan.agent.nickname", Text, Label, Veilspan, Opened;
    AGENT_ROLE: "veilspan.agent.role", Text, Label, Veilspan, Opened;
    AGENT_TASK: "veilspan.agent.task", Text, Label, Veilspan, Opened;
    PARENT_THREAD_ID: "veilspan.thread.parent", Text, Label, Veilspan, Opened;
    ROOT_THREAD_ID: "veilspan.thread.root", Text, Label, Veilspan, Opened;
    TOOL_KIND: "veilspan.tool.kind", Text, Label, Veilspan, Opened;
    TOOL_NAMESPACE: "veilspan.tool.namespace", Text, Label, Veilspan, Opened;
    TOOL_RUNTIME_ID: "veilspan.tool.runtime_id", Text, Label, Veilspan, Opened;
    TERMINAL_CWD: "veilspan.terminal.cwd", Text, Label, Veilspan, Opened;
    TERMINAL_YIELD_MS: "veilspan.terminal.yield_ms", Int, Number, Veilspan, Opened;
    TERMINAL_MAX_TOKENS: "veilspan.terminal.max_output_tokens", Int, Number, Veilspan, Opened;
    TERMINAL_ORIGINAL_TOKENS: "veilspan.terminal.original_tokens", Int, Number, Veilspan, Closed;
    TERMINAL_CHUNK_ID: "veilspan.terminal.chunk_id", Text, Label, Veilspan, Closed;
    EVIDENCE_REQUEST: "veilspan.evidence.request", Text, Label, Veilspan, Opened;
    EVIDENCE_RESPONSE: "veilspan.evidence.response", Text, Label, Veilspan, Closed;
    EVIDENCE_INVOCATION: "veilspan.evidence.invocation", Text, Label, Veilspan, Opened;
    EVIDENCE_RESULT: "veilspan.evidence.result", Text, Label, Veilspan, Closed;
    UPSTREAM_REQUEST_ID: "veilspan.request.upstream_id", Text, Label, Veilspan, Closed;
    ROLLOUT_END: "veilspan.rollout.end", Bool, Number, Veilspan, Closed;
    ERROR_KIND: "veilspan.error.kind", Text, Reason, Veilspan, Closed;
    ERROR_RETRYABLE: "veilspan.error.retryable", Bool, Number, Veilspan, Closed;
    ERROR_HANDLED: "veilspan.error.handled", Text, Reason, Veilspan, Closed;
    OUTPUT_CHUNKS: "veilspan.output.chunks", Int, Number, Veilspan, Closed;
    TIME_PER_CHUNK: "veilspan.output.time_per_chunk", Double, Number, Veilspan, Closed;
    CODE_CELL_STATUS: "veilspan.code_cell.status", Text, Constant, Veilspan, Closed;
    WAIT_YIELDED: "veilspan.wait.yielded", Bool, Number, Veilspan, Closed;
    TERMINAL_ID: "veilspan.terminal.id", Text, Label, Veilspan, Closed;
    TERMINAL_EXIT_CODE: "veilspan.terminal.exit_code", Int, Number, Veilspan, Closed;
    APPROVAL_DECISION: "veilspan.approval.decision", Text, Constant, Veilspan, Closed;
    APPROVAL_WAIT_MS: "veilspan.approval.wait_ms", Int, Number, Veilspan, Closed;
    ADMISSION: "veilspan.admission", Text, Constant, Veilspan, Closed;
    END_INFERRED: "veilspan.end.inferred", Bool, Number, Veilspan, Closed;
    USAGE_MISSING: "veilspan.usage.missing", Text, Constant, Veilspan, Closed;
    USAGE_TOTAL: "veilspan.usage.total_tokens", Int, Number, Veilspan, Closed;
    USAGE_COST: "veilspan.usage.cost", Double, Number, Veilspan, Closed;
    TOOL_EXECUTION_MS: "veilspan.tool.execution_ms", Int, Number, Veilspan, Closed;
    // Of what sessions of coding agents say beside.
    THREAD_FILE: "veilspan.thread.file", Text, Label, Veilspan, Opened;
    PERMISSION_REQUESTED: "veilspan.tool.permission_requested", Bool, Number, Veilspan, Opened;
    SKILLS: "veilspan.skills", Texts, Label, Veilspan, Opened;
    SKILL_NAME: "veilspan.skill.name", Text, Label, Veilspan, Opened;
    SKILL_TRIGGER: "veilspan.skill.trigger", Text, Constant, Veilspan, Opened;

    // Ours: on marks.
    DECISION_CONFIDENCE: "veilspan.decision.confidence", Double, Number, Veilspan, Marked;
    CHECKPOINT_ID: "veilspan.checkpoint.id", Text, Label, Veilspan, Marked;
    CHECKPOINT_CUT: "veilspan.checkpoint.cut", Text, Policy, Veilspan, Marked;
    CHECKPOINT_FRAMEWORK: "veilspan.checkpoint.framework", Text, Label, Veilspan, Marked;
    CHECKPOINT_LABEL: "veilspan.checkpoint.label", Text, Label, Veilspan, Marked;
    COMPACTION_REPLACED: "veilspan.compaction.replaced", Int, Number, Veilspan, Marked;
    EDGE_KIND: "veilspan.edge.kind", Text, Constant, Veilspan, Marked;
    EDGE_THREAD: "veilspan.edge.thread", Text, Label, Veilspan, Marked;
    EVIDENCE_KIND: "veilspan.evidence.kind", Text, Label, Veilspan, Marked;
    EVIDENCE_REF: "veilspan.evidence.ref", Text, Label, Veilspan, Marked;
    MCP_CALL_ID: "veilspan.mcp.call_id", Text, Label, Veilspan, Marked;
    RUNTIME_STATUS: "veilspan.runtime.outcome", Text, Constant, Veilspan, Marked;

    // Ours: digests and lengths of content.
    STOP_DIGEST: "veilspan.request.stop.digest", Text, Digest, Veilspan, Opened;
    FORMAT_DIGEST: "veilspan.request.format.digest", Text, Digest, Veilspan, Opened;
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
    ERROR_DIGEST: "veilspan.error.digest", Text, Digest, Veilspan, Core;
    ERROR_LENGTH: "veilspan.error.length", Int, Number, Veilspan, Core;
    DECISION_ACTION_DIGEST: "veilspan.decision.action.digest", Text, Digest, Veilspan, Core;
    DECISION_ACTION_LENGTH: "veilspan.decision.action.length", Int, Number, Veilspan, Core;
    DECISION_ALTERNATIVES_DIGESTS: "veilspan.decision.alternatives.digests", Texts, Digest, Veilspan, Core;
    DECISION_ALTERNATIVES_LENGTHS: "veilspan.decision.alternatives.lengths", Ints, Number, Veilspan, Core;
    CHECKPOINT_STATE: "veilspan.checkpoint.state", Any, AnyContent, Veilspan, Core;
    CHECKPOINT_STATE_REF: "veilspan.checkpoint.state.ref", Text, Digest, Veilspan, Core;
    CHECKPOINT_STATE_DIGEST: "veilspan.checkpoint.state.digest", Text, Digest, Veilspan, Core;
    CHECKPOINT_STATE_LENGTH: "veilspan.checkpoint.state.length", Int, Number, Veilspan, Core;
    EDGE_MESSAGE_DIGEST: "veilspan.edge.message.digest", Text, Digest, Veilspan, Core;
    EDGE_MESSAGE_LENGTH: "veilspan.edge.message.length", Int, Number, Veilspan, Core;
    COMPACTION_DIGESTS: "veilspan.compaction.digests", Texts, Digest, Veilspan, Core;
    COMPACTION_ROLES: "veilspan.compaction.roles", Texts, Constant, Veilspan, Core;
    COMPACTION_LENGTHS: "veilspan.compaction.lengths", Ints, Number, Veilspan, Core;
    COMPACTION_PART_KINDS: "veilspan.compaction.part_kinds", Texts, Constant, Veilspan, Core;
    COMPACTION_CHAIN: "veilspan.compaction.chain", Text, Digest, Veilspan, Core;
    COMPACTION_OMITTED: "veilspan.compaction.omitted", Int, Number, Veilspan, Core;
    COMPACTION_BLOB_DIGESTS: "veilspan.compaction.blob_digests", Texts, Digest, Veilspan, Core;

    // Ours: what leaves of texts at the levels that let some leave, and where the rest is kept.
    INPUT_PREVIEW: "veilspan.input.preview", Text, Content Prompts, Veilspan, Core;
    OUTPUT_PREVIEW: "veilspan.output.preview", Text, Content Completions, Veilspan, Core;
    SYSTEM_PREVIEW: "veilspan.system.preview", Text, Content System, Veilspan, Core;
    TOOL_ARGUMENTS_PREVIEW: "veilspan.tool.arguments.preview", Text, Content ToolArguments, Veilspan, Core;
    TOOL_RESULT_PREVIEW: "veilspan.tool.result.preview", Text, Content ToolResults, Veilspan, Core;
    ERROR_PREVIEW: "veilspan.error.preview", Text, Content Errors, Veilspan, Core;
    DECISION_ACTION_PREVIEW: "veilspan.decision.action.preview", Text, Content Completions, Veilspan, Core;
    INPUT_REF: "veilspan.input.ref", Text, Digest, Veilspan, Core;
    OUTPUT_REF: "veilspan.output.ref", Text, Digest, Veilspan, Core;
    SYSTEM_REF: "veilspan.system.ref", Text, Digest, Veilspan, Core;
    TOOLS_REF: "veilspan.tools.ref", Text, Digest, Veilspan, Core;
    TOOL_ARGUMENTS_REF: "veilspan.tool.arguments.ref", Text, Digest, Veilspan, Core;
    TOOL_RESULT_REF: "veilspan.tool.result.ref", Text, Digest, Veilspan, Core;
    INPUT_MESSAGES_REF: "gen_ai.input.messages_ref", Text, Digest, GenAiNext, Core;
    OUTPUT_MESSAGES_REF: "gen_ai.output.messages_ref", Text, Digest, GenAiNext, Core;
    SYSTEM_INSTRUCTIONS_REF: "gen_ai.system_instructions_ref", Text, Digest, GenAiNext, Core;
    TOOL_DEFINITIONS_REF: "gen_ai.tool.definitions_ref", Text, Digest, GenAiNext, Core;
    TOOL_CALL_ARGUMENTS_REF: "gen_ai.tool.call.arguments_ref", Text, Digest, GenAiNext, Core;
    TOOL_CALL_RESULT_REF: "gen_ai.tool.call.result_ref", Text, Digest, GenAiNext, Core;

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
    FINDING_KIND: "veilspan.finding.kind", Text, Constant, Veilspan, Core;
    FINDING_SEVERITY: "veilspan.finding.severity", Text, Constant, Veilspan, Core;

    // Ours: what holding a run against another found.
    REPLAY_VERDICT: "veilspan.replay.verdict", Text, Constant, Veilspan, Core;
    REPLAY_UNSURE: "veilspan.replay.unsure", Texts, Constant, Veilspan, Core;
    REPLAY_WITHDRAWN: "veilspan.replay.withdrawn", Int, Number, Veilspan, Core;
    FINDING_PARAMETER: "veilspan.finding.parameter", Text, Label, Veilspan, Core;
    FINDING_CALL: "veilspan.finding.call", Text, Label, Veilspan, Core;
    FINDING_COUNT: "veilspan.finding.count", Int, Number, Veilspan, Core;
    FINDING_STEP: "veilspan.finding.step", Text, Constant, Veilspan, Core;
    FINDING_NAME: "veilspan.finding.name", Text, Label, Veilspan, Core;
    FINDING_EXPECTED: "veilspan.finding.expected", Texts, Label, Veilspan, Core;
    FINDING_ACTUAL: "veilspan.finding.actual", Texts, Label, Veilspan, Core;
    FINDING_POSITION: "veilspan.finding.position", Ints, Number, Veilspan, Core;
    FINDING_STEPS: "veilspan.finding.steps", Int, Number, Veilspan, Core;
    FINDING_INPUT: "veilspan.finding.input", Text, Constant, Veilspan, Core;
    FINDING_SINCE: "veilspan.finding.since", Int, Number, Veilspan, Core;
    FINDING_INTENDED: "veilspan.finding.intended", Text, Label, Veilspan, Core;
    FINDING_BASELINE_THREAD: "veilspan.finding.baseline.thread", Text, Label, Veilspan, Core;
    FINDING_BASELINE_TURN: "veilspan.finding.baseline.turn", Text, Label, Veilspan, Core;
    FINDING_BASELINE_TRACE: "veilspan.finding.baseline.trace", Text, Label, Veilspan, Core;
    FINDING_BASELINE_SPAN: "veilspan.finding.baseline.span", Text, Label, Veilspan, Core;
    FINDING_BASELINE_PLACE: "veilspan.finding.baseline.place", Ints, Number, Veilspan, Core;
    FINDING_CANDIDATE_THREAD: "veilspan.finding.candidate.thread", Text, Label, Veilspan, Core;
    FINDING_CANDIDATE_TURN: "veilspan.finding.candidate.turn", Text, Label, Veilspan, Core;
    FINDING_CANDIDATE_TRACE: "veilspan.finding.candidate.trace", Text, Label, Veilspan, Core;
    FINDING_CANDIDATE_SPAN: "veilspan.finding.candidate.span", Text, Label, Veilspan, Core;
    FINDING_CANDIDATE_PLACE: "veilspan.finding.candidate.place", Ints, Number, Veilspan, Core;
}
