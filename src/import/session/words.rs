//! Words in texts that tools and agents write.

use crate::event::RawText;

/// The longest line of an error that is taken, in bytes.
const MAX_ERROR: usize = 4096;

/// The first line of what went wrong; the rest is the tool's output.
pub(in crate::import) fn first_line(text: &str) -> Option<RawText> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(RawText::from(line.get(..MAX_ERROR).unwrap_or(line)))
}

/// The server of a tool that is named `mcp__server__tool`.
pub(in crate::import) fn mcp_server(tool: &str) -> Option<&str> {
    let (server, tool) = tool.strip_prefix("mcp__")?.split_once("__")?;
    (!server.is_empty() && !tool.is_empty()).then_some(server)
}

/// The exit code that the first line of an output tells, `Exit code 2` or `Exit code: 2`.
pub(in crate::import) fn exit_code(text: &str) -> Option<i64> {
    let rest = text.trim_start().strip_prefix("Exit code")?;
    rest.lines().next()?.strip_prefix([':', ' '])?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_and_exit_codes_are_read_where_they_stand() {
        assert_eq!(mcp_server("mcp__linear__create_issue"), Some("linear"));
        assert_eq!((mcp_server("linear__create"), mcp_server("mcp____x"), mcp_server("mcp__x")), (None, None, None));
        assert_eq!((exit_code("Exit code 1\nx"), exit_code("Exit code 0"), exit_code("x")), (Some(1), Some(0), None));
        assert_eq!((exit_code("Exit code: 3\nWall time: 1 s"), exit_code("Exit codes 1")), (Some(3), None));
    }
}
