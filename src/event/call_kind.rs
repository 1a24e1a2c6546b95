//! The kinds of call, one row each.

use bytestring::ByteString;

use crate::semconv::{AGENT_NAME, Attr, DATA_SOURCE_ID, REQUEST_MODEL, TOOL_NAME, WORKFLOW_NAME};

/// What kind of call an event speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CallKind {
    /// One activation of one agent, or its part between two waits: an `invoke_agent` span.
    Turn,
    /// One attempt of one model request: a `chat` span.
    Inference,
    /// One execution of one tool: an `execute_tool` span.
    Tool,
    /// Agents that run by a plan: an `invoke_workflow` span.
    Workflow,
    /// Texts turned into vectors: an `embeddings` span.
    Embeddings,
    /// A search in a data source: a `retrieval` span.
    Retrieval,
    /// A look into an agent's memory, or a change of it: a `search_memory` span, or one of its siblings.
    Memory,
    /// One attempt to make a history shorter: a `compaction` span. What it led to is a [`Mark`](super::Mark).
    Compaction,
    /// A wait for a person's decision about a call: an `approval` span.
    Approval,
    /// Code written by a model that calls tools itself: a `code_cell` span.
    CodeCell,
    /// A command, or a write to a running process: a `terminal` span, child of its tool call.
    Terminal,
    /// The wait of an input for its turn: an `admission` span, from its arrival until it was taken or turned away.
    Admission,
    /// Somebody asked a turn to stop: a `cancel` span without length, in the scope of that turn. It is told at once, so
    /// that it is known even of a turn that never gets to tell its end.
    Cancel,
}

/// What is known of a kind.
struct Row {
    /// The values of `gen_ai.operation.name` that mean it; the first is written where nobody chose one.
    operations: &'static [&'static str],
    /// What its span is named after, beside the operation.
    target: Option<Attr<ByteString>>,
    /// Whether its span is a client's.
    is_client: bool,
}

const fn row(operations: &'static [&'static str], target: Option<Attr<ByteString>>, is_client: bool) -> Row {
    Row { operations, target, is_client }
}

const MEMORY: &[&str] = &[
    "search_memory",
    "create_memory",
    "update_memory",
    "upsert_memory",
    "delete_memory",
    "create_memory_store",
    "delete_memory_store",
];

impl CallKind {
    /// All kinds.
    pub const ALL: [Self; 13] = [
        Self::Turn,
        Self::Inference,
        Self::Tool,
        Self::Workflow,
        Self::Embeddings,
        Self::Retrieval,
        Self::Memory,
        Self::Compaction,
        Self::Approval,
        Self::CodeCell,
        Self::Terminal,
        Self::Admission,
        Self::Cancel,
    ];

    const fn row(self) -> Row {
        match self {
            Self::Turn => row(&["invoke_agent"], Some(AGENT_NAME), false),
            Self::Inference => row(&["chat", "text_completion", "generate_content"], Some(REQUEST_MODEL), true),
            Self::Tool => row(&["execute_tool"], Some(TOOL_NAME), false),
            Self::Workflow => row(&["invoke_workflow"], Some(WORKFLOW_NAME), false),
            Self::Embeddings => row(&["embeddings"], Some(REQUEST_MODEL), true),
            Self::Retrieval => row(&["retrieval"], Some(DATA_SOURCE_ID), true),
            Self::Memory => row(MEMORY, None, true),
            Self::Compaction => row(&["compaction"], None, false),
            Self::Approval => row(&["approval"], None, false),
            Self::CodeCell => row(&["code_cell"], None, false),
            Self::Terminal => row(&["terminal"], None, false),
            Self::Admission => row(&["admission"], None, false),
            Self::Cancel => row(&["cancel"], None, false),
        }
    }

    /// The values of `gen_ai.operation.name` that mean this kind. The conventions allow words of one's own where they have
    /// none.
    pub const fn operations(self) -> &'static [&'static str] {
        self.row().operations
    }

    /// The operation where nobody chose one.
    pub fn default_operation(self) -> &'static str {
        self.operations().first().copied().unwrap_or_default()
    }

    /// The kind that an operation means.
    pub fn of_operation(operation: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.operations().contains(&operation))
    }

    /// What a span of this kind is named after, beside the operation.
    pub const fn target(self) -> Option<Attr<ByteString>> {
        self.row().target
    }

    /// Whether its span has the kind `CLIENT`; otherwise `INTERNAL`.
    pub const fn is_client(self) -> bool {
        self.row().is_client
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_operation_means_one_kind() {
        let mut seen = HashSet::new();
        for kind in CallKind::ALL {
            assert!(!kind.operations().is_empty(), "{kind:?}");
            for operation in kind.operations() {
                assert!(seen.insert(operation), "{operation} stands twice");
                assert_eq!(CallKind::of_operation(operation), Some(kind));
            }
        }
        assert_eq!(CallKind::of_operation("create_agent"), None);
    }
}
