//! What the name of an attribute says of a message or a tool.

/// Which list an attribute belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// What a model was sent.
    Input,
    /// What it answered.
    Output,
    /// The tools that it may call.
    Tools,
}

/// What an attribute says of one message, or of one tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Role,
    Content,
    /// What the model thought.
    Reasoning,
    /// Something of one of several blocks.
    Block(u16, OfBlock),
    /// Something of one of its tool calls.
    Call(u16, OfCall),
    /// All of its tool calls, as JSON.
    Calls,
    /// Which call it is the result of.
    CallId,
    FinishReason,
    /// Something of a tool's definition.
    Tool(OfTool),
}

/// What an attribute says of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OfBlock {
    Kind,
    Text,
    Image,
}

/// What an attribute says of a tool call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OfCall {
    Id,
    Name,
    Arguments,
}

/// What an attribute says of a tool's definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OfTool {
    /// All of it, as JSON.
    Definition,
    Name,
    Description,
    Parameters,
}

/// The list, the number and the part that a name stands for.
pub(crate) fn meaning(name: &str) -> Option<(List, u16, Part)> {
    const LISTS: [(&str, List); 8] = [
        ("gen_ai.prompt.", List::Input),
        ("gen_ai.completion.", List::Output),
        ("llm.input_messages.", List::Input),
        ("llm.output_messages.", List::Output),
        ("llm.prompts.", List::Input),
        ("llm.choices.", List::Output),
        ("llm.tools.", List::Tools),
        ("llm.request.functions.", List::Tools),
    ];
    if let Some(rest) = name.strip_prefix("ai.response.") {
        return Some((List::Output, 0, of_the_answer(rest)?));
    }
    let (rest, list) = LISTS.iter().find_map(|(prefix, list)| Some((name.strip_prefix(prefix)?, *list)))?;
    let (number, part) = numbered(rest)?;
    let part = if list == List::Tools { of_a_tool(part)? } else { of_a_message(part)? };
    Some((list, number, part))
}

/// The Vercel AI SDK has one answer.
fn of_the_answer(name: &str) -> Option<Part> {
    Some(match name {
        "text" | "object" => Part::Content,
        "reasoning" => Part::Reasoning,
        "toolCalls" => Part::Calls,
        _ => return None,
    })
}

fn of_a_tool(name: &str) -> Option<Part> {
    Some(Part::Tool(match name {
        "tool.json_schema" => OfTool::Definition,
        "name" => OfTool::Name,
        "description" => OfTool::Description,
        "parameters" => OfTool::Parameters,
        _ => return None,
    }))
}

fn of_a_message(name: &str) -> Option<Part> {
    Some(match name.strip_prefix("message.").unwrap_or(name) {
        "role" => Part::Role,
        "content" | "prompt.text" | "completion.text" => Part::Content,
        "tool_call_id" => Part::CallId,
        "finish_reason" => Part::FinishReason,
        inner => return inner_part(inner),
    })
}

fn inner_part(name: &str) -> Option<Part> {
    if let Some(rest) = name.strip_prefix("contents.") {
        let (number, part) = numbered(rest)?;
        let of_block = match part {
            "message_content.type" => OfBlock::Kind,
            "message_content.text" => OfBlock::Text,
            "message_content.image.image.url" => OfBlock::Image,
            _ => return None,
        };
        return Some(Part::Block(number, of_block));
    }
    let (number, part) = numbered(name.strip_prefix("tool_calls.")?)?;
    let part = match part.strip_prefix("tool_call.").unwrap_or(part) {
        "id" => OfCall::Id,
        "name" | "function.name" => OfCall::Name,
        "arguments" | "function.arguments" => OfCall::Arguments,
        _ => return None,
    };
    Some(Part::Call(number, part))
}

fn numbered(name: &str) -> Option<(u16, &str)> {
    let (number, rest) = name.split_once('.')?;
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_message_is_told_by_its_name() {
        assert_eq!(meaning("gen_ai.prompt.0.content"), Some((List::Input, 0, Part::Content)));
        assert_eq!(meaning("llm.output_messages.12.message.role"), Some((List::Output, 12, Part::Role)));
        let arguments = "llm.output_messages.0.message.tool_calls.1.tool_call.function.arguments";
        assert_eq!(meaning(arguments), Some((List::Output, 0, Part::Call(1, OfCall::Arguments))));
        let name = Some((List::Output, 0, Part::Call(1, OfCall::Name)));
        assert_eq!(meaning("gen_ai.completion.0.tool_calls.1.name"), name);
        assert_eq!(meaning("ai.response.text"), Some((List::Output, 0, Part::Content)));
        let schema = Some((List::Tools, 3, Part::Tool(OfTool::Definition)));
        assert_eq!(meaning("llm.tools.3.tool.json_schema"), schema);
        for other in [
            "gen_ai.prompt",
            "gen_ai.prompt.x.content",
            "gen_ai.prompt.0.tool_calls.x.name",
            "gen_ai.prompt.65536.content",
            "ai.response.model",
            "llm.tools.0.content",
        ] {
            assert_eq!(meaning(other), None, "{other}");
        }
    }
}
