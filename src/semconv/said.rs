//! Names under which the conventions and other dialects have what was said.

/// What an attribute of a span holds that is content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The messages that a model was sent.
    InputMessages,
    /// The messages that it answered.
    OutputMessages,
    /// System instructions.
    System,
    /// Tool definitions.
    Tools,
    /// What a tool was called with.
    Arguments,
    /// What it returned.
    Result,
    /// What is looked for.
    Query,
    /// What was found.
    Documents,
    /// A whole request, of whichever kind the call is.
    Input,
    /// A whole answer.
    Output,
}

impl Said {
    /// Whether it is what came back.
    pub const fn is_answer(self) -> bool {
        matches!(self, Self::OutputMessages | Self::Result | Self::Documents | Self::Output)
    }
}

/// The names, and what each holds. Of several for one on a span the first counts.
pub static SAID: &[(&str, Said)] = &[
    // The conventions, v1.41 and after.
    ("gen_ai.input.messages", Said::InputMessages),
    ("gen_ai.output.messages", Said::OutputMessages),
    ("gen_ai.system_instructions", Said::System),
    ("gen_ai.tool.definitions", Said::Tools),
    ("gen_ai.tool.call.arguments", Said::Arguments),
    ("gen_ai.tool.call.result", Said::Result),
    ("gen_ai.retrieval.query.text", Said::Query),
    ("gen_ai.retrieval.documents", Said::Documents),
    ("gen_ai.memory.query.text", Said::Query),
    ("gen_ai.memory.records", Said::Documents),
    // The conventions before v1.37.
    ("gen_ai.prompt", Said::Input),
    ("gen_ai.completion", Said::Output),
    // OpenInference.
    ("llm.input_messages", Said::InputMessages),
    ("llm.output_messages", Said::OutputMessages),
    ("llm.tools", Said::Tools),
    ("tool.parameters", Said::Arguments),
    ("input.value", Said::Input),
    ("output.value", Said::Output),
    // OpenLLMetry.
    ("llm.prompts", Said::InputMessages),
    ("llm.completions", Said::OutputMessages),
    ("traceloop.entity.input", Said::Input),
    ("traceloop.entity.output", Said::Output),
    // The Vercel AI SDK.
    ("ai.prompt.messages", Said::InputMessages),
    ("ai.prompt.tools", Said::Tools),
    ("ai.prompt", Said::Input),
    ("ai.toolCall.args", Said::Arguments),
    ("ai.toolCall.result", Said::Result),
    // Claude Code.
    ("user_prompt", Said::Input),
    // swiftide's events with the feature `langfuse`.
    ("langfuse.input", Said::Input),
    ("langfuse.output", Said::Output),
];

/// What an attribute of this name holds, where that is content.
pub fn said(key: &str) -> Option<Said> {
    SAID.iter().find(|(name, _)| *name == key).map(|(_, said)| *said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semconv::lookup;

    #[test]
    fn each_name_stands_once_and_is_content_where_the_table_knows_it() {
        let mut names: Vec<&str> = SAID.iter().map(|(name, _)| *name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for (name, _) in SAID {
            assert!(lookup(name).is_none_or(|id| id.name().class.is_content()), "{name}");
        }
    }
}
