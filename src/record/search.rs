//! Embeddings, retrieval and memory.

use super::answer::Failure;
use super::builder::Builder;
use super::call::Call;
use super::kind;
use super::place::LentOrigin;
use super::tool::IntoResult;
use crate::event::CallKind;
use crate::semconv::{
    DATA_SOURCE_ID, EMBEDDING_DIMENSIONS, INPUT_TOKENS, MEMORY_RECORD_COUNT, MEMORY_RECORD_ID, MEMORY_STORE_ID,
    OPERATION_NAME, PROVIDER_NAME, REQUEST_MODEL, RESPONSE_MODEL, RETRIEVAL_TOP_K, SERVER_ADDRESS, SERVER_PORT,
};

/// Texts to be turned into vectors.
pub type EmbeddingsBuilder = Builder<kind::Embeddings>;

/// Texts being turned into vectors.
pub type Embeddings = Call<kind::Embeddings>;

impl EmbeddingsBuilder {
    pub(super) fn begin(origin: Option<LentOrigin<'_>>, provider: &str, model: &str) -> Self {
        Self::new(origin).text(PROVIDER_NAME, provider).text(REQUEST_MODEL, model)
    }

    /// One of the texts.
    pub fn input(self, text: impl IntoResult) -> Self {
        self.given_text(|| text.into_result())
    }

    /// How long each vector is (`gen_ai.embeddings.dimension.count`).
    pub fn dimensions(self, count: u32) -> Self {
        self.int(EMBEDDING_DIMENSIONS, count)
    }

    /// Where the request goes (`server.address`, `server.port`).
    pub fn server(self, address: &str, port: u16) -> Self {
        self.text(SERVER_ADDRESS, address).int(SERVER_PORT, port)
    }
}

impl Embeddings {
    /// Tokens of the texts (`gen_ai.usage.input_tokens`).
    pub fn input_tokens(&mut self, tokens: u64) -> &mut Self {
        self.handle.count(INPUT_TOKENS, tokens);
        self
    }

    /// `gen_ai.response.model`
    pub fn response_model(&mut self, model: &str) -> &mut Self {
        self.handle.text(RESPONSE_MODEL, model);
        self
    }

    /// The outcome is the result's.
    pub fn finish_with<T, E: Failure>(self, result: &Result<T, E>) {
        self.settle_with(result);
    }
}

/// A search in a data source that has not started.
pub type RetrievalBuilder = Builder<kind::Retrieval>;

/// A search in a data source.
pub type Retrieval = Call<kind::Retrieval>;

impl RetrievalBuilder {
    pub(super) fn begin(origin: Option<LentOrigin<'_>>, data_source: &str) -> Self {
        Self::new(origin).text(DATA_SOURCE_ID, data_source)
    }

    /// What is looked for.
    pub fn query(self, query: impl IntoResult) -> Self {
        self.given_text(|| query.into_result())
    }

    /// How many documents are wanted (`gen_ai.retrieval.top_k`).
    pub fn top_k(self, count: u32) -> Self {
        self.int(RETRIEVAL_TOP_K, count)
    }

    /// A value of `gen_ai.provider.name`.
    pub fn provider(self, provider: &str) -> Self {
        self.text(PROVIDER_NAME, provider)
    }
}

impl Retrieval {
    /// One of the documents that were found.
    pub fn document(&mut self, document: impl IntoResult) -> &mut Self {
        self.handle.add_text(|| document.into_result());
        self
    }

    /// The outcome is the result's.
    pub fn finish_with<T, E: Failure>(self, result: &Result<T, E>) {
        self.settle_with(result);
    }
}

/// A look into a memory, or a change of it, that has not started.
pub type MemoryBuilder = Builder<kind::Memory>;

/// A look into a memory, or a change of it.
pub type Memory = Call<kind::Memory>;

impl MemoryBuilder {
    /// A word that the conventions lack is taken for their first.
    pub(super) fn begin(origin: Option<LentOrigin<'_>>, operation: &str) -> Self {
        let builder = Self::new(origin);
        match CallKind::of_operation(operation) {
            Some(CallKind::Memory) => builder.text(OPERATION_NAME, operation),
            _ => builder,
        }
    }

    /// What is looked for, or the record that is written.
    pub fn input(self, text: impl IntoResult) -> Self {
        self.given_text(|| text.into_result())
    }

    /// `gen_ai.memory.store.id`
    pub fn store(self, id: &str) -> Self {
        self.text(MEMORY_STORE_ID, id)
    }

    /// `gen_ai.memory.record.id`
    pub fn record(self, id: &str) -> Self {
        self.text(MEMORY_RECORD_ID, id)
    }
}

impl Memory {
    /// One of the records that were found.
    pub fn output(&mut self, record: impl IntoResult) -> &mut Self {
        self.handle.add_text(|| record.into_result());
        self
    }

    /// How many records were found or changed (`gen_ai.memory.record.count`).
    pub fn record_count(&mut self, count: u64) -> &mut Self {
        self.handle.count(MEMORY_RECORD_COUNT, count);
        self
    }

    /// The outcome is the result's.
    pub fn finish_with<T, E: Failure>(self, result: &Result<T, E>) {
        self.settle_with(result);
    }
}
