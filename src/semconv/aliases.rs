//! What names of other dialects mean in the conventions.

use super::KeyId;
use super::names as n;

/// A foreign name, and the name of ours that says the same with a value of the same kind. Of several for one of ours the
/// first that a span has counts.
pub static ALIASES: &[(KeyId, KeyId)] = &[
    (n::OLD_SYSTEM.id(), n::PROVIDER_NAME.id()),
    (n::OLD_PROMPT_TOKENS.id(), n::INPUT_TOKENS.id()),
    (n::OLD_COMPLETION_TOKENS.id(), n::OUTPUT_TOKENS.id()),
    (n::OLD_FINISH_REASON.id(), n::FINISH_REASONS.id()),
    (n::OLD_SEED.id(), n::SEED.id()),
    (n::SESSION_ID.id(), n::CONVERSATION_ID.id()),
    (n::RIG_REASONING.id(), n::REASONING_TOKENS.id()),
    (n::RIG_ERROR_TYPE.id(), n::ERROR_TYPE.id()),
    (n::OI_PROVIDER.id(), n::PROVIDER_NAME.id()),
    (n::OI_SYSTEM.id(), n::PROVIDER_NAME.id()),
    (n::OI_REQUEST_MODEL.id(), n::REQUEST_MODEL.id()),
    (n::OI_MODEL.id(), n::REQUEST_MODEL.id()),
    (n::OI_EMBEDDING_MODEL.id(), n::REQUEST_MODEL.id()),
    (n::OI_RESPONSE_MODEL.id(), n::RESPONSE_MODEL.id()),
    (n::OI_AGENT_NAME.id(), n::AGENT_NAME.id()),
    (n::OI_TOOL_NAME.id(), n::TOOL_NAME.id()),
    (n::OI_TOOL_ID.id(), n::TOOL_CALL_ID.id()),
    (n::OI_FINISH_REASON.id(), n::FINISH_REASONS.id()),
    (n::OI_PROMPT_TOKENS.id(), n::INPUT_TOKENS.id()),
    (n::OI_COMPLETION_TOKENS.id(), n::OUTPUT_TOKENS.id()),
    (n::OI_CACHE_READ.id(), n::CACHE_READ_TOKENS.id()),
    (n::OI_CACHE_WRITE.id(), n::CACHE_CREATION_TOKENS.id()),
    (n::OI_REASONING.id(), n::REASONING_TOKENS.id()),
    (n::OL_VENDOR.id(), n::PROVIDER_NAME.id()),
    (n::OL_REQUEST_MODEL.id(), n::REQUEST_MODEL.id()),
    (n::OL_RESPONSE_MODEL.id(), n::RESPONSE_MODEL.id()),
    (n::OL_WORKFLOW_NAME.id(), n::WORKFLOW_NAME.id()),
    (n::OL_FINISH_REASON.id(), n::FINISH_REASONS.id()),
    (n::OL_STOP_REASON.id(), n::FINISH_REASONS.id()),
    (n::OL_STREAM.id(), n::STREAM.id()),
    (n::OL_MAX_TOKENS.id(), n::MAX_TOKENS.id()),
    (n::OL_TEMPERATURE.id(), n::TEMPERATURE.id()),
    (n::OL_TOP_P.id(), n::TOP_P.id()),
    (n::OL_TOP_K.id(), n::TOP_K.id()),
    (n::OL_FREQUENCY_PENALTY.id(), n::FREQUENCY_PENALTY.id()),
    (n::OL_PRESENCE_PENALTY.id(), n::PRESENCE_PENALTY.id()),
    (n::OL_PROMPT_TOKENS.id(), n::INPUT_TOKENS.id()),
    (n::OL_COMPLETION_TOKENS.id(), n::OUTPUT_TOKENS.id()),
    (n::OL_REASONING.id(), n::REASONING_TOKENS.id()),
    (n::OL_CACHE_READ.id(), n::CACHE_READ_TOKENS.id()),
    (n::OL_CACHE_WRITE.id(), n::CACHE_CREATION_TOKENS.id()),
    (n::AI_PROVIDER.id(), n::PROVIDER_NAME.id()),
    (n::AI_MODEL.id(), n::REQUEST_MODEL.id()),
    (n::AI_RESPONSE_ID.id(), n::RESPONSE_ID.id()),
    (n::AI_RESPONSE_MODEL.id(), n::RESPONSE_MODEL.id()),
    (n::AI_FINISH_REASON.id(), n::FINISH_REASONS.id()),
    (n::AI_TOOL_NAME.id(), n::TOOL_NAME.id()),
    (n::AI_TOOL_ID.id(), n::TOOL_CALL_ID.id()),
    (n::AI_INPUT_TOKENS.id(), n::INPUT_TOKENS.id()),
    (n::AI_OUTPUT_TOKENS.id(), n::OUTPUT_TOKENS.id()),
    (n::AI_PROMPT_TOKENS.id(), n::INPUT_TOKENS.id()),
    (n::AI_COMPLETION_TOKENS.id(), n::OUTPUT_TOKENS.id()),
    (n::AI_REASONING.id(), n::REASONING_TOKENS.id()),
    (n::AI_CACHE_READ.id(), n::CACHE_READ_TOKENS.id()),
];

/// The same on Claude Code's own spans alone, whose names are plain words.
pub static OF_CLAUDE_CODE: &[(KeyId, KeyId)] = &[
    (n::CX_MODEL.id(), n::REQUEST_MODEL.id()),
    (n::CC_TOOL_NAME.id(), n::TOOL_NAME.id()),
    (n::CC_TOOL_USE_ID.id(), n::TOOL_CALL_ID.id()),
    (n::CC_STOP_REASON.id(), n::FINISH_REASONS.id()),
    (n::CC_INPUT_TOKENS.id(), n::INPUT_TOKENS.id()),
    (n::CC_OUTPUT_TOKENS.id(), n::OUTPUT_TOKENS.id()),
    (n::CC_CACHE_READ.id(), n::CACHE_READ_TOKENS.id()),
    (n::CC_CACHE_CREATION.id(), n::CACHE_CREATION_TOKENS.id()),
    (n::CC_ATTEMPT.id(), n::ATTEMPT.id()),
];

/// The same on Codex' own spans alone.
pub static OF_CODEX: &[(KeyId, KeyId)] = &[
    (n::CC_TOOL_NAME.id(), n::TOOL_NAME.id()),
    (n::CX_CALL_ID.id(), n::TOOL_CALL_ID.id()),
    (n::CX_MODEL.id(), n::REQUEST_MODEL.id()),
    (n::CX_INPUT_TOKENS.id(), n::INPUT_TOKENS.id()),
    (n::CX_OUTPUT_TOKENS.id(), n::OUTPUT_TOKENS.id()),
    (n::CX_CACHE_READ.id(), n::CACHE_READ_TOKENS.id()),
    (n::CX_CACHE_WRITE.id(), n::CACHE_CREATION_TOKENS.id()),
    (n::CX_REASONING.id(), n::REASONING_TOKENS.id()),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::semconv::{Phase, Type};

    #[test]
    fn a_foreign_name_means_one_of_ours_of_its_kind() {
        for table in [ALIASES, OF_CLAUDE_CODE, OF_CODEX] {
            let mut seen = HashSet::new();
            for (foreign, own) in table {
                check(*foreign, *own, &mut seen);
            }
        }
    }

    fn check(foreign: KeyId, own: KeyId, seen: &mut HashSet<&'static str>) {
        let (foreign, own) = (foreign.name(), own.name());
        assert!(seen.insert(foreign.key), "{}", foreign.key);
        assert_eq!(foreign.phase, Phase::Foreign, "{}", foreign.key);
        assert!(matches!(own.phase, Phase::Opened | Phase::Closed), "{}", own.key);
        assert_eq!(foreign.class, own.class, "{}", foreign.key);
        assert!(!foreign.class.is_content());
        // One reason is a list of one.
        let is_of_kind = foreign.kind == own.kind || (foreign.kind, own.kind) == (Type::Text, Type::Texts);
        assert!(is_of_kind, "{}", foreign.key);
    }
}
