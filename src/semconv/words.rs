//! The words of constants: all that is ever written under a name of the class [`Constant`](super::Class::Constant).

use super::{
    ADMISSION, APPROVAL_DECISION, CODE_CELL_STATUS, COMPACTION_PART_KINDS, COMPACTION_ROLES, EDGE_KIND, FINDING_INPUT,
    FINDING_KIND, FINDING_SEVERITY, FINDING_STEP, INPUT_PART_KINDS, INPUT_ROLES, KeyId, OUTCOME, REPLAY_UNSURE,
    REPLAY_VERDICT, ROLLOUT_REASON, RUNTIME_STATUS, SKILL_TRIGGER, TOOL_REQUESTER, USAGE_MISSING,
};

const OUTCOMES: &[&str] = &["completed", "failed", "cancelled", "denied", "timeout", "disconnected", "abandoned"];

const ROLES: &[&str] = &["system", "user", "assistant", "tool", "developer", "other"];

/// The names, and the words of each.
const WORDS: [(KeyId, &[&str]); 20] = [
    (OUTCOME.id(), OUTCOMES),
    (RUNTIME_STATUS.id(), OUTCOMES),
    (TOOL_REQUESTER.id(), &["model", "code_cell", "user"]),
    (
        CODE_CELL_STATUS.id(),
        &["starting", "running", "yielded", "completed", "failed", "cancelled", "aborted", "terminated"],
    ),
    (APPROVAL_DECISION.id(), &["approved", "denied", "cancelled", "expired"]),
    (ADMISSION.id(), &["admitted", "queued", "busy", "rejected"]),
    (USAGE_MISSING.id(), &["missing", "unrecognised", "no_token_count"]),
    (SKILL_TRIGGER.id(), &["explicit", "implicit"]),
    (EDGE_KIND.id(), &["spawn", "task", "message", "result", "close", "retry", "resume", "replay", "turn"]),
    (INPUT_ROLES.id(), ROLES),
    (COMPACTION_ROLES.id(), ROLES),
    (INPUT_PART_KINDS.id(), PARTS),
    (COMPACTION_PART_KINDS.id(), PARTS),
    (ROLLOUT_REASON.id(), &["ended", "idle", "evicted"]),
    (FINDING_SEVERITY.id(), &["info", "warning", "error", "critical"]),
    (FINDING_KIND.id(), FINDINGS),
    (FINDING_STEP.id(), STEPS),
    (FINDING_INPUT.id(), &["same", "changed", "unknown"]),
    (REPLAY_VERDICT.id(), &["same", "drift", "inconclusive"]),
    (REPLAY_UNSURE.id(), UNSURE),
];

const PARTS: &[&str] =
    &["text", "reasoning", "tool_call", "tool_call_response", "blob", "encrypted", "uri", "other", "oversize"];

const FINDINGS: &[&str] = &[
    "conflict",
    "orphan",
    "gap",
    "overlap",
    "truncated",
    "unknown",
    "parameter_drift",
    "leak",
    "tenant_mismatch",
    "foreign_connection",
    "tool_mismatch",
    "quarantined",
    "cancel",
    "insertion",
    "deletion",
    "substitution",
    "input",
    "agent",
    "tool",
    "arguments",
    "given",
    "provider",
    "model",
    "parameter",
    "system",
    "tools",
    "action",
    "alternatives",
    "confidence",
    "output",
    "result",
    "returned",
    "approval",
    "finish_reasons",
    "outcome",
    "error_kind",
    "retries",
    "input_tokens",
    "output_tokens",
    "duration",
    "cost",
];

const STEPS: &[&str] = &[
    "invoke_agent",
    "chat",
    "text_completion",
    "generate_content",
    "execute_tool",
    "invoke_workflow",
    "embeddings",
    "retrieval",
    "search_memory",
    "update_memory",
    "upsert_memory",
    "create_memory",
    "delete_memory",
    "create_memory_store",
    "delete_memory_store",
    "compaction",
    "approval",
    "code_cell",
    "terminal",
    "admission",
    "cancel",
    "decision",
];

const UNSURE: &[&str] = &[
    "no-baseline",
    "baseline-open",
    "candidate-open",
    "baseline-idle",
    "baseline-evicted",
    "baseline-incomplete",
    "candidate-idle",
    "candidate-evicted",
    "candidate-incomplete",
    "not-comparable",
];

/// Whether a text is a word of the constant with this name: for the kinds of a message's parts, words joined by `+`.
pub fn is_constant(id: KeyId, text: &str) -> bool {
    let words = WORDS.iter().find(|(name, _)| *name == id).map_or(&[][..], |(_, words)| words);
    let joined = id == INPUT_PART_KINDS.id() || id == COMPACTION_PART_KINDS.id();
    match joined {
        true => text.split('+').all(|word| words.contains(&word)),
        false => words.contains(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semconv::{Class, table};

    #[test]
    fn each_constant_has_its_words_and_nothing_else_is_one() {
        for (place, name) in table().iter().enumerate() {
            let id = KeyId(u16::try_from(place).unwrap());
            let words = WORDS.iter().filter(|(known, _)| *known == id).map(|(_, words)| words).collect::<Vec<_>>();
            assert_eq!(words.len(), usize::from(name.class == Class::Constant), "{}", name.key);
            assert!(words.iter().all(|words| words.iter().all(|word| is_constant(id, word))));
            for other in ["", "hunter2", "completed+hunter2", "Completed", "+", "text+"] {
                assert!(!is_constant(id, other), "{other} under {}", name.key);
            }
        }
        assert!(is_constant(INPUT_PART_KINDS.id(), &vec!["tool_call"; 40].join("+")));
    }
}
