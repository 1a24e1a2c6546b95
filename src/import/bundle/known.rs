//! What was told of earlier records and is needed for later ones: which thread a call belongs to, and how it began.

use std::collections::HashMap;

use bytestring::ByteString;

use crate::event::Digest;

/// The calls that are remembered, in each of two generations: the end of one that was forgotten is told under the ids
/// of its own record alone.
const REMEMBERED: usize = 1 << 15;

/// The kinds of ids that records refer to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Of {
    Inference,
    Tool,
    Cell,
    Compaction,
}

/// How a call began.
#[derive(Clone, Default)]
pub(super) struct Begun {
    pub(super) thread: ByteString,
    pub(super) turn: ByteString,
    /// How many calls of this id the thread had before.
    pub(super) uses: u32,
    pub(super) ended: bool,
    /// When it began, in nanoseconds.
    pub(super) began: u64,
    /// What kind of tool it is: empty where it is none.
    pub(super) tool: String,
    /// Whether its terminal operation was told of.
    pub(super) terminal: bool,
    /// The process that its terminal operation is in.
    pub(super) process: Option<String>,
    /// The server's id of the call.
    pub(super) server_call: Option<String>,
    /// To which thread it was seen to pass something.
    pub(super) receiver: Option<String>,
    /// And what.
    pub(super) passed: Option<Digest>,
    /// The message that the tool was asked to pass on.
    pub(super) message: Option<Digest>,
    pub(super) message_length: Option<u64>,
}

#[derive(Default)]
pub(super) struct Known {
    young: HashMap<(Of, String), Vec<Begun>>,
    old: HashMap<(Of, String), Vec<Begun>>,
}

impl Known {
    /// A call begins. Answers how many of this id the thread had before: one that has ended, or is of another turn.
    pub(super) fn begin(&mut self, of: Of, id: &str, begun: Begun) -> u32 {
        let key = (of, id.to_owned());
        if self.young.len() >= REMEMBERED && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        let old = &mut self.old;
        let calls = self.young.entry(key).or_insert_with_key(|key| old.remove(key).unwrap_or_default());
        match calls.iter_mut().find(|known| known.thread == begun.thread) {
            Some(known) if known.ended || known.turn != begun.turn => {
                let uses = known.uses.saturating_add(1);
                *known = Begun { uses, ..begun };
                uses
            }
            // Told twice: the first beginning counts.
            Some(known) => known.uses,
            None => {
                calls.push(begun);
                0
            }
        }
    }

    /// The call of this id in the thread; without a thread, the one that began last.
    pub(super) fn find(&mut self, of: Of, id: &str, thread: Option<&str>) -> Option<&mut Begun> {
        let key = (of, id.to_owned());
        let calls = match self.young.get_mut(&key) {
            Some(calls) => calls,
            None => self.old.get_mut(&key)?,
        };
        match thread {
            Some(thread) => calls.iter_mut().find(|known| known.thread == thread),
            None => calls.last_mut(),
        }
    }
}
