//! What a response body says apart from content: names and numbers.

use serde_json::Value;
use smallvec::SmallVec;

/// The names and numbers of a response. What the body does not say is absent.
///
/// The texts are the provider's, unchecked: a peer may have put anything into them.
#[derive(Clone, Default)]
#[allow(missing_debug_implementations)]
pub struct ResponseFacts<'a> {
    /// The response's id (`gen_ai.response.id`).
    pub id: Option<&'a str>,
    /// The model that answered (`gen_ai.response.model`).
    pub model: Option<&'a str>,
    /// Why each choice ended, in the provider's own words (`gen_ai.response.finish_reasons`).
    pub finish_reasons: SmallVec<[&'a str; 1]>,
    /// The tokens.
    pub usage: Usage,
}

/// Tokens of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of the input, cached ones included (`gen_ai.usage.input_tokens`).
    pub input: Option<i64>,
    /// Of the output, reasoning included (`gen_ai.usage.output_tokens`).
    pub output: Option<i64>,
    /// Of the input, those read from a cache.
    pub cache_read: Option<i64>,
    /// Of the input, those written to a cache.
    pub cache_creation: Option<i64>,
    /// Of the output, those spent on reasoning.
    pub reasoning: Option<i64>,
}

/// Reads the names and numbers of a response of OpenAI or Anthropic.
pub fn response_facts(body: &Value) -> ResponseFacts<'_> {
    let text = |key| body.get(key).and_then(Value::as_str);
    ResponseFacts {
        id: text("id"),
        model: text("model"),
        finish_reasons: finish_reasons(body),
        usage: body.get("usage").map(Usage::read).unwrap_or_default(),
    }
}

fn finish_reasons(body: &Value) -> SmallVec<[&str; 1]> {
    let choices = body.get("choices").and_then(Value::as_array);
    if let Some(choices) = choices {
        return choices.iter().filter_map(|choice| choice.get("finish_reason")?.as_str()).collect();
    }
    // A response of OpenAI has a status, and says more only where it is incomplete.
    let incomplete = body.pointer("/incomplete_details/reason").and_then(Value::as_str);
    let whole = ["stop_reason", "finish_reason", "status"].into_iter().find_map(|key| body.get(key)?.as_str());
    incomplete.or(whole).into_iter().collect()
}

impl Usage {
    /// Reads a `usage` object. Only whole numbers that are not negative count.
    pub fn read(usage: &Value) -> Self {
        let count = |path: &str| usage.pointer(path).and_then(Value::as_i64).filter(|count| *count >= 0);
        let first = |paths: &[&str]| paths.iter().find_map(|path| count(path));
        // Anthropic counts cached tokens beside the input, the others among it.
        let beside = [count("/cache_read_input_tokens"), count("/cache_creation_input_tokens")];
        let with_cached = |input: i64| beside.iter().flatten().try_fold(input, |sum, more| sum.checked_add(*more));
        Self {
            input: count("/prompt_tokens").or_else(|| count("/input_tokens").and_then(with_cached)),
            output: first(&["/completion_tokens", "/output_tokens"]),
            cache_read: first(&[
                "/cache_read_input_tokens",
                "/prompt_tokens_details/cached_tokens",
                "/input_tokens_details/cached_tokens",
            ]),
            cache_creation: count("/cache_creation_input_tokens"),
            reasoning: first(&[
                "/completion_tokens_details/reasoning_tokens",
                "/output_tokens_details/reasoning_tokens",
            ]),
        }
    }
}
