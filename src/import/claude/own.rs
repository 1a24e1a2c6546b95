//! Which rows of a session's transcript were made in it.
//!
//! A file may begin with rows of another session, under the id that they had or under this one's. Those are history here,
//! and are told where they were made.

use std::collections::HashSet;
use std::sync::Arc;

use super::row::{Row, row_name};
use super::session::Of;

pub(super) struct Own {
    /// The session's id.
    pub(super) id: Option<String>,
    /// Rows of which other files tell, by their names, and the sessions that have files.
    pub(super) copied: HashSet<u128>,
    pub(super) beside: Arc<HashSet<String>>,
    /// What was said in the session has begun.
    has_begun: bool,
}

impl Own {
    /// Of a session whose transcript has this name, without its ending.
    pub(super) fn of(stem: &str) -> Self {
        let is_id = stem.len() == 36 && stem.bytes().filter(|byte| *byte == b'-').count() == 4;
        Self { id: is_id.then(|| stem.to_owned()), copied: HashSet::new(), beside: Arc::default(), has_begun: false }
    }

    /// Whether this session, and not another one, made the row.
    pub(super) fn has_made(&mut self, of: Of<'_>, row: &Row<'_>) -> bool {
        let is_copy = |name: &str| row_name(name).is_some_and(|name| self.copied.contains(&name));
        let is_copied = !self.copied.is_empty() && row.uuid.is_some_and(is_copy);
        if is_copied || row.forked_from.is_some_and(|from| self.id.as_deref() != Some(from)) {
            return false;
        }
        let Some(session) = row.session else { return true };
        let own = self.id.get_or_insert_with(|| session.to_owned());
        if of != Of::Session || own == session {
            self.has_begun |= of == Of::Session && matches!(row.kind, "user" | "assistant");
            return true;
        }
        // Copies stand before what was said in the session itself: what comes later was said in it when it was resumed
        // under another id, unless that has a transcript.
        self.has_begun && !self.beside.contains(session)
    }
}
