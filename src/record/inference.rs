//! Inferences: attempts of a model request.

use std::future::Future;
use std::sync::Arc;

use super::answer::{Answer, Failure};
use super::builder::{Draft, Parent};
use super::handle::Handle;
use super::request::IntoRequest;
use super::turn::debug_without_content;
use crate::event::{CallKind, Given, Message, Outcome, RawText, Request, Returned, ToolDefinition};
use crate::intake::Desk;
use crate::semconv::{
    CACHE_CREATION_TOKENS, CACHE_READ_TOKENS, CACHE_WRITE_TOKENS, CONVERSATION_ID, FINISH_REASONS, FREQUENCY_PENALTY,
    INPUT_TOKENS, MAX_TOKENS, OPERATION_NAME, OUTPUT_TOKENS, PRESENCE_PENALTY, PROVIDER_NAME, REASONING_TOKENS,
    REQUEST_MODEL, RESPONSE_ID, RESPONSE_MODEL, SEED, SERVER_ADDRESS, SERVER_PORT, STREAM, TEMPERATURE,
    TIME_TO_FIRST_CHUNK, TOP_P,
};

/// An inference that has not started.
#[must_use = "an inference is recorded from `start` on"]
pub struct InferenceBuilder {
    draft: Option<Draft>,
}

impl InferenceBuilder {
    pub(super) fn new(desk: Option<&Arc<Desk>>, parent: Option<&Parent>, provider: &str, model: &str) -> Self {
        let draft = desk.map(|desk| {
            let mut draft = Draft::new(desk, parent, CallKind::Inference);
            draft.text(OPERATION_NAME, "chat");
            draft.text(PROVIDER_NAME, provider);
            draft.text(REQUEST_MODEL, model);
            draft
        });
        Self { draft }
    }

    fn with(mut self, set: impl FnOnce(&mut Draft)) -> Self {
        if let Some(draft) = &mut self.draft {
            set(draft);
        }
        self
    }

    fn with_request(mut self, set: impl FnOnce(&mut Request)) -> Self {
        if let Some(Given::Request(request)) = self.draft.as_mut().and_then(Draft::given) {
            set(request.get_or_insert_default());
        }
        self
    }

    /// What the model is sent: messages, or a whole request body of a provider's API.
    pub fn input(self, input: impl IntoRequest) -> Self {
        self.with_request(|request| input.into_request(request))
    }

    /// The same from a closure, which a disabled recorder does not run.
    pub fn input_with<I: IntoRequest>(self, input: impl FnOnce() -> I) -> Self {
        self.with_request(|request| input().into_request(request))
    }

    /// System instructions that stand apart from the messages.
    pub fn system(self, text: impl Into<RawText>) -> Self {
        self.with_request(|request| request.system.push(text.into()))
    }

    /// The tools that the model may call.
    pub fn tools(self, tools: impl IntoIterator<Item = ToolDefinition>) -> Self {
        self.with_request(|request| request.tools.extend(tools))
    }

    /// What the user would call the chat (`gen_ai.conversation.id`). Never invent one.
    pub fn conversation(self, id: &str) -> Self {
        self.with(|draft| draft.text(CONVERSATION_ID, id))
    }

    /// Where the request goes (`server.address`, `server.port`).
    pub fn server(self, address: &str, port: u16) -> Self {
        self.with(|draft| {
            draft.text(SERVER_ADDRESS, address);
            draft.attrs(|attrs| attrs.int(SERVER_PORT, i64::from(port)));
        })
    }

    /// `gen_ai.request.temperature`
    pub fn temperature(self, temperature: f64) -> Self {
        self.with(|draft| draft.attrs(|attrs| attrs.double(TEMPERATURE, temperature)))
    }

    /// `gen_ai.request.top_p`
    pub fn top_p(self, top_p: f64) -> Self {
        self.with(|draft| draft.attrs(|attrs| attrs.double(TOP_P, top_p)))
    }

    /// `gen_ai.request.frequency_penalty`
    pub fn frequency_penalty(self, penalty: f64) -> Self {
        self.with(|draft| draft.attrs(|attrs| attrs.double(FREQUENCY_PENALTY, penalty)))
    }

    /// `gen_ai.request.presence_penalty`
    pub fn presence_penalty(self, penalty: f64) -> Self {
        self.with(|draft| draft.attrs(|attrs| attrs.double(PRESENCE_PENALTY, penalty)))
    }

    /// `gen_ai.request.max_tokens`
    pub fn max_tokens(self, tokens: u32) -> Self {
        self.with(|draft| draft.attrs(|attrs| attrs.int(MAX_TOKENS, i64::from(tokens))))
    }

    /// `gen_ai.request.seed`
    pub fn seed(self, seed: i64) -> Self {
        self.with(|draft| draft.attrs(|attrs| attrs.int(SEED, seed)))
    }

    /// The answer is streamed (`gen_ai.request.stream`).
    pub fn streaming(self) -> Self {
        self.with(|draft| draft.attrs(|attrs| attrs.bool(STREAM, true)))
    }

    /// Starts it.
    pub fn start(self) -> Inference {
        let Some(draft) = self.draft else { return Inference { handle: Handle::disabled() } };
        Inference { handle: draft.start() }
    }
}

/// An inference that runs. Finish it, or say how it failed; dropped it is `abandoned`.
#[must_use = "an inference that is dropped at once is recorded as abandoned"]
pub struct Inference {
    handle: Handle,
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

    /// Tokens of the request, cached ones included, and of the answer, reasoning included.
    pub fn tokens(&mut self, input: u64, output: u64) -> &mut Self {
        self.handle.attrs(|attrs| {
            attrs.int(INPUT_TOKENS, saturated(input));
            attrs.int(OUTPUT_TOKENS, saturated(output));
        });
        self
    }

    /// Tokens of the request alone, where that is all the provider tells.
    pub fn input_tokens(&mut self, input: u64) -> &mut Self {
        self.handle.attrs(|attrs| attrs.int(INPUT_TOKENS, saturated(input)));
        self
    }

    /// Tokens of the answer alone.
    pub fn output_tokens(&mut self, output: u64) -> &mut Self {
        self.handle.attrs(|attrs| attrs.int(OUTPUT_TOKENS, saturated(output)));
        self
    }

    /// How many of the request's tokens were read from the provider's cache.
    pub fn cache_read_tokens(&mut self, tokens: u64) -> &mut Self {
        self.handle.attrs(|attrs| attrs.int(CACHE_READ_TOKENS, saturated(tokens)));
        self
    }

    /// How many of the request's tokens were written to it. Told under the old and the new name of the conventions.
    pub fn cache_write_tokens(&mut self, tokens: u64) -> &mut Self {
        self.handle.attrs(|attrs| {
            attrs.int(CACHE_CREATION_TOKENS, saturated(tokens));
            attrs.int(CACHE_WRITE_TOKENS, saturated(tokens));
        });
        self
    }

    /// How many of the answer's tokens were reasoning.
    pub fn reasoning_tokens(&mut self, tokens: u64) -> &mut Self {
        self.handle.attrs(|attrs| attrs.int(REASONING_TOKENS, saturated(tokens)));
        self
    }

    /// Seconds from the request to the first chunk of a streamed answer (`gen_ai.response.time_to_first_chunk`).
    pub fn time_to_first_chunk(&mut self, seconds: f64) -> &mut Self {
        self.handle.attrs(|attrs| attrs.double(TIME_TO_FIRST_CHUNK, seconds));
        self
    }

    /// Marks it as failed although it will go on. That sticks.
    pub fn mark_failed(&mut self, kind: &str) -> &mut Self {
        self.handle.mark_failed(kind, None);
        self
    }

    /// Runs a future on behalf of the call: dropped before it is done, the call is `cancelled` and not `abandoned`.
    pub fn observe<F: Future>(&mut self, future: F) -> impl Future<Output = F::Output> {
        self.handle.observe(future)
    }

    /// Adds what a provider's answer tells: its messages, names, finish reasons and usage.
    pub fn answer(&mut self, answer: &(impl Answer + ?Sized)) -> &mut Self {
        if self.handle.is_recording() {
            answer.record(self);
        }
        self
    }

    /// It answered with all that has been told before.
    pub fn finish(self) {
        self.handle.close(Outcome::Completed);
    }

    /// It answered, or failed: the outcome is the result's.
    pub fn finish_with<A: Answer, E: Failure>(mut self, result: &Result<A, E>) {
        match result {
            Ok(answer) => {
                self.answer(answer);
                self.finish();
            }
            Err(error) => {
                self.handle.mark_failed(&error.kind(), error.retryable());
                self.handle.close(Outcome::Failed);
            }
        }
    }

    /// It failed. `kind` is the class of the error (`veilspan.error.kind`), never its text.
    pub fn fail(mut self, kind: &str) {
        self.handle.mark_failed(kind, None);
        self.handle.close(Outcome::Failed);
    }

    /// It was stopped on purpose.
    pub fn cancel(self) {
        self.handle.close(Outcome::Cancelled);
    }
}

fn saturated(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

debug_without_content!(InferenceBuilder, Inference);
