//! The ways to begin a call: from the recorder, or from the call that it is part of.

use super::admission::AdmissionBuilder;
use super::approval::ApprovalBuilder;
use super::call::{Call, CallType};
use super::code_cell::{CodeCellBuilder, TerminalBuilder};
use super::compaction::CompactionBuilder;
use super::inference::InferenceBuilder;
use super::place::Origin;
use super::recorder::Recorder;
use super::search::{EmbeddingsBuilder, MemoryBuilder, RetrievalBuilder};
use super::tool::ToolBuilder;
use super::turn::TurnBuilder;
use super::workflow::WorkflowBuilder;

macro_rules! begin {
    ($($(#[$doc:meta])* $name:ident($($argument:ident),*) -> $builder:ident;)*) => {
        /// Calls that are part of whatever runs around them in this recorder ([`Recorder::in_scope`], [`Call::in_scope`]),
        /// and of nothing else.
        impl Recorder {
            $($(#[$doc])* pub fn $name(&self $(, $argument: &str)*) -> $builder {
                $builder::begin(self.origin().as_ref().map(Origin::lend) $(, $argument)*)
            })*
        }

        /// Calls that are part of this one.
        impl<K: CallType> Call<K> {
            $($(#[$doc])* pub fn $name(&self $(, $argument: &str)*) -> $builder {
                $builder::begin(self.lent() $(, $argument)*)
            })*
        }
    };
}

begin! {
    /// An activation of `agent`. As part of another call it is in the same rollout, with a thread of its own.
    turn(agent) -> TurnBuilder;
    /// A model request. `provider` is a value of `gen_ai.provider.name`.
    inference(provider, model) -> InferenceBuilder;
    /// A tool execution.
    tool(name) -> ToolBuilder;
    /// Agents that run by a plan (`gen_ai.workflow.name`).
    workflow(name) -> WorkflowBuilder;
    /// Texts turned into vectors. `provider` is a value of `gen_ai.provider.name`.
    embeddings(provider, model) -> EmbeddingsBuilder;
    /// A search in a data source (`gen_ai.data_source.id`).
    retrieval(data_source) -> RetrievalBuilder;
    /// A look into an agent's memory, or a change of it. `operation` is one of the conventions' words: `search_memory`,
    /// `create_memory`, `update_memory`, `upsert_memory`, `delete_memory`, `create_memory_store`, `delete_memory_store`.
    memory(operation) -> MemoryBuilder;
    /// An attempt to make a history shorter, under the id of the compaction (`veilspan.compaction.id`).
    compaction(id) -> CompactionBuilder;
    /// A wait for a person's decision about a call of the tool.
    approval(tool) -> ApprovalBuilder;
    /// Code written by a model, under its id (`veilspan.code_cell.id`).
    code_cell(id) -> CodeCellBuilder;
    /// A command or a write to a running process (`veilspan.terminal.operation`): `exec_command`, `write_stdin`.
    terminal(operation) -> TerminalBuilder;
    /// The wait of an input for its turn.
    admission() -> AdmissionBuilder;
}
