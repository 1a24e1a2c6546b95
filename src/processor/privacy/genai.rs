//! Which spans are GenAI spans.

use crate::otlp::wire::{Fields, Wire};

/// How the names of GenAI attributes begin, in the dialects that are about.
const PREFIXES: &[&str] = &["gen_ai.", "veilspan.", "openinference.", "llm.", "traceloop.", "ai.", "mcp."];
const KEYS: &[&str] = &["input.value", "output.value"];

/// How the names of the scopes begin whose spans are all GenAI spans, whatever their keys.
const SCOPES: &[&str] = &[
    "@arizeai/openinference-",
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

/// Whether a span, or one of its events, has an attribute of a GenAI dialect. Bytes that cannot be read count as one, so that
/// whoever decodes them refuses them.
pub(super) fn is_genai(span: &[u8]) -> bool {
    Fields::new(span).any(|field| {
        field.map_or(true, |field| match (field.number, field.value) {
            (9, Wire::Bytes(attribute)) => has_genai_key(attribute),
            (11, Wire::Bytes(event)) => has_genai_attribute(event),
            _ => false,
        })
    })
}

fn has_genai_attribute(event: &[u8]) -> bool {
    Fields::new(event).any(|field| {
        field.map_or(true, |field| matches!((field.number, field.value), (3, Wire::Bytes(pair)) if has_genai_key(pair)))
    })
}

/// The key may stand more than once in bytes that are not canonical: each counts.
fn has_genai_key(attribute: &[u8]) -> bool {
    Fields::new(attribute).any(|field| {
        field.map_or(true, |field| matches!((field.number, field.value), (1, Wire::Bytes(key)) if is_genai_key(key)))
    })
}

fn is_genai_key(key: &[u8]) -> bool {
    PREFIXES.iter().any(|prefix| key.starts_with(prefix.as_bytes())) || KEYS.iter().any(|whole| key == whole.as_bytes())
}

/// Whether an `InstrumentationScope` message is that of a GenAI instrumentation.
pub(super) fn is_genai_scope(scope: &[u8]) -> bool {
    Fields::new(scope).any(|field| {
        field.map_or(true, |field| matches!((field.number, field.value), (1, Wire::Bytes(name)) if is_genai_name(name)))
    })
}

fn is_genai_name(name: &[u8]) -> bool {
    SCOPES.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
        || WHOLE_SCOPES.iter().any(|whole| name == whole.as_bytes())
}
