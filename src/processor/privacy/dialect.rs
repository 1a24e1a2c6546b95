//! The names by which GenAI spans are known, in the dialects that are about.

/// How the names of GenAI attributes begin, in the dialects that are about.
const PREFIXES: &[&str] = &["gen_ai.", "veilspan.", "openinference.", "llm.", "traceloop.", "ai.", "mcp.", "codex."];
const KEYS: &[&str] = &["input.value", "output.value"];

/// How the names of the scopes begin whose spans are all GenAI spans, whatever their keys.
const SCOPES: &[&str] = &[
    "@arizeai/openinference-",
    "codex-",
    "codex_",
    "com.anthropic.",
    "gcp.vertex.agent",
    "langfuse-sdk",
    "openinference.instrumentation.",
    "opentelemetry.instrumentation.anthropic",
    "opentelemetry.instrumentation.bedrock",
    "opentelemetry.instrumentation.cohere",
    "opentelemetry.instrumentation.crewai",
    "opentelemetry.instrumentation.google_genai",
    "opentelemetry.instrumentation.google_generativeai",
    "opentelemetry.instrumentation.groq",
    "opentelemetry.instrumentation.haystack",
    "opentelemetry.instrumentation.langchain",
    "opentelemetry.instrumentation.llamaindex",
    "opentelemetry.instrumentation.mcp",
    "opentelemetry.instrumentation.mistralai",
    "opentelemetry.instrumentation.ollama",
    "opentelemetry.instrumentation.openai",
    "opentelemetry.instrumentation.replicate",
    "opentelemetry.instrumentation.sagemaker",
    "opentelemetry.instrumentation.together",
    "opentelemetry.instrumentation.transformers",
    "opentelemetry.instrumentation.vertexai",
    "opentelemetry.instrumentation.watsonx",
    "opentelemetry.instrumentation.writer",
    "opentelemetry.util.genai",
    "pydantic-ai",
    "strands.telemetry",
    "traceloop.",
    "veilspan",
];
/// Names of scopes that are too short to be told by their beginning.
const WHOLE_SCOPES: &[&str] = &["ai"];

/// Whether an attribute of this name makes its span a GenAI span.
pub(in crate::processor) fn is_genai_key(key: &[u8]) -> bool {
    PREFIXES.iter().any(|prefix| key.starts_with(prefix.as_bytes())) || KEYS.iter().any(|whole| key == whole.as_bytes())
}

/// Whether this is the name of a GenAI instrumentation's scope.
pub(in crate::processor) fn is_genai_name(name: &[u8]) -> bool {
    SCOPES.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
        || WHOLE_SCOPES.iter().any(|whole| name == whole.as_bytes())
}
