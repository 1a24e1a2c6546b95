//! One row of a session file.

use crate::import::session::unix_nanos;
use crate::json::{Escapes, Node, Tape, without_mark};

/// A row's envelope.
pub(super) struct Row<'t> {
    pub(super) at: Option<u64>,
    pub(super) kind: &'t str,
    /// An object.
    pub(super) told: Node<'t>,
    /// Of what kind that is.
    pub(super) what: &'t str,
    pub(super) ordinal: Option<u64>,
}

impl<'t> Row<'t> {
    /// The envelope; nothing where what it tells is missing or is no object.
    pub(super) fn of(row: Node<'t>) -> Option<Self> {
        let (mut at, mut kind, mut told, mut ordinal) = (None, "", None, None);
        for (name, member) in row.members() {
            match name {
                "timestamp" => at = member.as_str().and_then(unix_nanos),
                "type" => kind = member.as_str().unwrap_or_default(),
                "payload" => told = Some(member),
                "ordinal" => ordinal = member.as_u64(),
                _ => {}
            }
        }
        let told = told.filter(|told| told.is_object())?;
        Some(Self { at, kind, told, what: told.word("type").unwrap_or_default(), ordinal })
    }

    /// Whether it tells how a tool ended, or what it returned. Of answers it tells nothing.
    pub(super) fn is_of_tools(&self) -> bool {
        match self.kind {
            "response_item" => self.what.ends_with("_output"),
            "event_msg" => matches!(self.what, "exec_command_end" | "patch_apply_end" | "mcp_tool_call_end"),
            _ => false,
        }
    }

    /// Whether it may be told twice without a name of its own by which that is seen.
    pub(super) fn may_be_twice(&self) -> bool {
        match (self.kind, self.what) {
            ("response_item", "message" | "agent_message" | "reasoning")
            | ("event_msg", "user_message")
            | ("compacted", _) => true,
            ("response_item", what) => {
                what.ends_with("_call") && self.told.word("call_id").or(self.told.word("id")).is_none()
            }
            _ => false,
        }
    }
}

/// What a session says of itself.
#[derive(Clone, Copy)]
pub(super) struct Meta<'t>(pub(super) Node<'t>);

/// The session whose file begins with this line, and its ancestors: the one that started it, and the one whose rows it
/// copied.
pub fn kin_of(line: &[u8]) -> Option<(String, Vec<String>)> {
    let kin = |row: Node<'_>| {
        let meta = Meta(Row::of(row).filter(|row| row.kind == "session_meta")?.told);
        let ancestors = [meta.parent(), meta.forked_from()].into_iter().flatten();
        Some((meta.0.word("id")?.to_owned(), ancestors.map(str::to_owned).collect()))
    };
    Tape::default().read(std::str::from_utf8(without_mark(line)).ok()?, Escapes::Unescaped, kin).ok()?
}

impl<'t> Meta<'t> {
    fn started_by(self) -> Option<Node<'t>> {
        self.0.get("source")?.get("subagent")
    }

    fn of_spawn(self, name: &str) -> Option<&'t str> {
        self.started_by()?.get("thread_spawn")?.get(name)?.as_str()
    }

    /// The session that started this one, where another one did.
    pub(super) fn parent(self) -> Option<&'t str> {
        self.0.word("parent_thread_id").or_else(|| self.of_spawn("parent_thread_id"))
    }

    /// The session whose rows this one begins with.
    pub(super) fn forked_from(self) -> Option<&'t str> {
        self.0.word("forked_from_id")
    }

    /// What a sub-agent is there for.
    pub(super) fn role(self) -> Option<&'t str> {
        let kind = || self.started_by()?.as_str();
        self.0.word("agent_role").or_else(|| self.of_spawn("agent_role")).or_else(kind)
    }

    /// The instructions that the session begins with.
    pub(super) fn instructions(self) -> Option<&'t str> {
        let told = self.0.get("base_instructions")?;
        told.as_str().or_else(|| told.get("text")?.as_str())
    }
}
