//! Inferences: attempts of a model request.

use serde_json::Value;

use super::answer::{Answer, Failure};
use super::builder::{Builder, Draft};
use super::call::Call;
use super::kind;
use super::parameters;
use super::place::LentOrigin;
use super::request::IntoRequest;
use crate::event::{CallKind, Given, Message, Part, RawText, Request, Returned, Role, ToolDefinition};
use crate::intake::request as request_at_hand;
use crate::semconv::{
    CACHE_CREATION_TOKENS, CACHE_READ_TOKENS, CACHE_WRITE_TOKENS, CHOICE_COUNT, FINISH_REASONS, FREQUENCY_PENALTY,
    INPUT_TOKENS, MAX_TOKENS, OPERATION_NAME, OUTPUT_TOKENS, OUTPUT_TYPE, PRESENCE_PENALTY, PREVIOUS_RESPONSE_ID,
    PROVIDER_NAME, REASONING_LEVEL, REASONING_TOKENS, REQUEST_MODEL, RESPONSE_ID, RESPONSE_MODEL, SEED, SERVER_ADDRESS,
    SERVER_PORT, STREAM, TEMPERATURE, TOP_K, TOP_P, USAGE_MISSING,
};

/// An inference that has not started.
pub type InferenceBuilder = Builder<kind::Inference>;

/// An inference that runs: one attempt of one model request.
pub type Inference = Call<kind::Inference>;

impl InferenceBuilder {
    pub(super) fn begin(origin: Option<LentOrigin<'_>>, provider: &str, model: &str) -> Self {
        Self::new(origin).text(PROVIDER_NAME, provider).text(REQUEST_MODEL, model)
    }

    fn with_request(mut self, set: impl FnOnce(&mut Request)) -> Self {
        if let Some(Given::Request(request)) = self.draft().and_then(Draft::given) {
            set(request.get_or_insert_with(request_at_hand));
        }
        self
    }

    /// What the model is sent: messages, or a whole request body of a provider's API. Of a body the parameters are read too;
    /// of one that is told again the last counts.
    pub fn input(self, input: impl IntoRequest) -> Self {
        let told = match input.parameters() {
            Some(body) => self.with(|draft| draft.attrs(|attrs| parameters::of_body(body, attrs))),
            None => self,
        };
        told.with_request(|request| input.into_request(request))
    }

    /// The same from a closure, which a disabled recorder does not run.
    pub fn input_with<I: IntoRequest>(self, input: impl FnOnce() -> I) -> Self {
        if self.is_enabled() { self.input(input()) } else { self }
    }

    /// System instructions that stand apart from the messages.
    pub fn system(self, text: impl Into<RawText>) -> Self {
        self.with_request(|request| request.system.push(text.into()))
    }

    /// The tools that the model may call.
    pub fn tools(self, tools: impl IntoIterator<Item = ToolDefinition>) -> Self {
        self.with_request(|request| request.tools.extend(tools))
    }

    /// Where the request goes (`server.address`, `server.port`).
    pub fn server(self, address: &str, port: u16) -> Self {
        self.text(SERVER_ADDRESS, address).int(SERVER_PORT, port)
    }

    /// `gen_ai.request.temperature`
    pub fn temperature(self, temperature: f64) -> Self {
        self.double(TEMPERATURE, temperature)
    }

    /// `gen_ai.request.top_p`
    pub fn top_p(self, top_p: f64) -> Self {
        self.double(TOP_P, top_p)
    }

    /// `gen_ai.request.frequency_penalty`
    pub fn frequency_penalty(self, penalty: f64) -> Self {
        self.double(FREQUENCY_PENALTY, penalty)
    }

    /// `gen_ai.request.presence_penalty`
    pub fn presence_penalty(self, penalty: f64) -> Self {
        self.double(PRESENCE_PENALTY, penalty)
    }

    /// `gen_ai.request.max_tokens`
    pub fn max_tokens(self, tokens: u32) -> Self {
        self.int(MAX_TOKENS, tokens)
    }

    /// `gen_ai.request.seed`
    pub fn seed(self, seed: i64) -> Self {
        self.int(SEED, seed)
    }

    /// The answer is streamed (`gen_ai.request.stream`).
    pub fn streaming(self) -> Self {
        self.with(|draft| draft.attrs(|attrs| attrs.bool(STREAM, true)))
    }

    /// Another word of the conventions for what is asked for (`gen_ai.operation.name`): `text_completion`,
    /// `generate_content`. Without one it is `chat`.
    pub fn operation(self, word: &str) -> Self {
        match CallKind::of_operation(word) {
            Some(CallKind::Inference) => self.text(OPERATION_NAME, word),
            _ => self,
        }
    }

    /// `gen_ai.request.top_k`
    pub fn top_k(self, top_k: f64) -> Self {
        self.double(TOP_K, top_k)
    }

    /// How many answers are wanted, where not one (`gen_ai.request.choice.count`).
    pub fn choice_count(self, count: u32) -> Self {
        self.int(CHOICE_COUNT, count)
    }

    /// `gen_ai.output.type`: `text`, `json`, `image`, `speech`.
    pub fn output_type(self, word: &str) -> Self {
        self.text(OUTPUT_TYPE, word)
    }

    /// The sequences at which the model is to stop. Somebody wrote them, so their digest alone leaves
    /// (`veilspan.request.stop.digest`).
    pub fn stop_sequences<'s>(self, sequences: impl IntoIterator<Item = &'s str>) -> Self {
        self.with(|draft| draft.attrs(|attrs| parameters::stop(sequences, attrs)))
    }

    /// The shape that the answer is to have, as the provider's API has it: its kind as `gen_ai.output.type`, and the digest
    /// of all of it (`veilspan.request.format.digest`).
    pub fn response_format(self, format: &Value) -> Self {
        self.with(|draft| draft.attrs(|attrs| parameters::format(format, attrs)))
    }

    /// `gen_ai.request.reasoning.level`, in the provider's own word.
    pub fn reasoning_level(self, word: &str) -> Self {
        self.text(REASONING_LEVEL, word)
    }

    /// The response that the provider is to go on from (`gen_ai.request.previous_response.id`).
    pub fn previous_response(self, id: &str) -> Self {
        self.text(PREVIOUS_RESPONSE_ID, id)
    }
}

impl Inference {
    /// Adds a message to the answer.
    pub fn output(&mut self, message: Message) -> &mut Self {
        if let Some(Returned::Answer(answer)) = self.handle.returned() {
            answer.push(message);
        }
        self
    }

    /// `gen_ai.response.id`
    pub fn response_id(&mut self, id: &str) -> &mut Self {
        self.handle.text(RESPONSE_ID, id);
        self
    }

    /// `gen_ai.response.model`
    pub fn response_model(&mut self, model: &str) -> &mut Self {
        self.handle.text(RESPONSE_MODEL, model);
        self
    }

    /// Adds the provider's own word for why the answer ended (`gen_ai.response.finish_reasons`), one for each choice.
    pub fn finish_reason(&mut self, reason: &str) -> &mut Self {
        self.handle.attrs(|attrs| attrs.element(FINISH_REASONS, reason));
        self
    }

    /// Adds to the text of the answer, as it comes.
    pub fn output_more(&mut self, text: &str) -> &mut Self {
        if let Some(Returned::Answer(answer)) = self.handle.returned() {
            match answer.last_mut().map(|message| &mut message.parts) {
                Some(parts) => match parts.last_mut() {
                    Some(Part::Text(told)) => told.push(text),
                    _ => parts.push(Part::Text(text.into())),
                },
                None => answer.push(Message::text(Role::Assistant, text)),
            }
        }
        self
    }

    /// Tokens of the request, cached ones included, and of the answer, reasoning included.
    pub fn tokens(&mut self, input: u64, output: u64) -> &mut Self {
        self.input_tokens(input).output_tokens(output)
    }

    /// Tokens of the request alone, cached ones included, where that is all the provider tells.
    pub fn input_tokens(&mut self, input: u64) -> &mut Self {
        self.handle.count(INPUT_TOKENS, input);
        self
    }

    /// Tokens of the request as a provider tells them that counts those of its cache beside them (Anthropic). They leave as
    /// the conventions want them: cached ones among the input.
    pub fn input_tokens_beside_cache(&mut self, input: u64, cache_read: u64, cache_write: u64) -> &mut Self {
        self.input_tokens(input.saturating_add(cache_read).saturating_add(cache_write));
        self.cache_read_tokens(cache_read).cache_write_tokens(cache_write)
    }

    /// Tokens of the answer alone, reasoning included.
    pub fn output_tokens(&mut self, output: u64) -> &mut Self {
        self.handle.count(OUTPUT_TOKENS, output);
        self
    }

    /// How many of the request's tokens were read from the provider's cache.
    pub fn cache_read_tokens(&mut self, tokens: u64) -> &mut Self {
        self.handle.count(CACHE_READ_TOKENS, tokens);
        self
    }

    /// How many of the request's tokens were written to it. Told under the old and the new name of the conventions.
    pub fn cache_write_tokens(&mut self, tokens: u64) -> &mut Self {
        self.handle.count(CACHE_CREATION_TOKENS, tokens);
        self.handle.count(CACHE_WRITE_TOKENS, tokens);
        self
    }

    /// How many of the answer's tokens were reasoning.
    pub fn reasoning_tokens(&mut self, tokens: u64) -> &mut Self {
        self.handle.count(REASONING_TOKENS, tokens);
        self
    }

    /// Why the provider's answer tells no tokens (`veilspan.usage.missing`): `missing`, `unrecognised`, `no_token_count`.
    pub(super) fn usage_missing(&mut self, why: &str) {
        self.handle.text(USAGE_MISSING, why);
    }

    /// Adds what a provider's answer tells: its messages, names, finish reasons and usage.
    pub fn answer(&mut self, answer: &(impl Answer + ?Sized)) -> &mut Self {
        if self.handle.is_recording() {
            answer.record(self);
        }
        self
    }

    /// It answered, or failed: the outcome is the result's.
    pub fn finish_with<A: Answer, E: Failure>(mut self, result: &Result<A, E>) {
        if let Ok(answer) = result {
            self.answer(answer);
        }
        self.settle_with(result);
    }
}
