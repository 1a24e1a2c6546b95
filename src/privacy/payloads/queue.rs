//! What waits to be written, bounded in bytes.

use std::collections::{HashSet, VecDeque};

use bytestring::ByteString;

use crate::event::Digest;
use crate::privacy::policy::Levels;
use crate::semconv::Field;

/// The most bytes that wait.
const MAX_BYTES: usize = 32 << 20;
/// What a payload takes beside its text.
const OVERHEAD: usize = 256;

/// One payload on its way.
#[derive(Debug)]
pub(in crate::privacy) struct Payload {
    pub(in crate::privacy) name: Digest,
    pub(in crate::privacy) text: ByteString,
    /// The classes of content that may be in it.
    pub(in crate::privacy) classes: &'static [Field],
    /// The levels under which it was made.
    pub(in crate::privacy) levels: Levels,
}

impl Payload {
    /// Whether one of its classes is of a lower level now.
    fn is_lowered_by(&self, levels: &Levels) -> bool {
        self.classes.iter().any(|class| levels.of(*class) < self.levels.of(*class))
    }

    fn bytes(&self) -> usize {
        self.text.len() + OVERHEAD
    }
}

/// What became of a payload that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offered {
    Taken,
    Known,
    OverBound,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Payload>,
    bytes: usize,
    names: HashSet<Digest>,
    /// What is being written, and whether it may still get its name.
    writing: Option<(Payload, bool)>,
}

impl Queue {
    pub(super) fn offer(&mut self, payload: Payload) -> Offered {
        let is_being_written = self.writing.as_ref().is_some_and(|(one, may)| *may && one.name == payload.name);
        if is_being_written || self.names.contains(&payload.name) {
            return Offered::Known;
        }
        if self.bytes + payload.bytes() > MAX_BYTES {
            return Offered::OverBound;
        }
        self.bytes += payload.bytes();
        self.names.insert(payload.name);
        self.waiting.push_back(payload);
        Offered::Taken
    }

    /// The next one, whose room stays taken until it is [done](Self::done).
    pub(super) fn next(&mut self) -> Option<(Digest, ByteString)> {
        let payload = self.waiting.pop_front()?;
        self.names.remove(&payload.name);
        let next = (payload.name, payload.text.clone());
        self.writing = Some((payload, true));
        Some(next)
    }

    /// Whether what is being written may get its name.
    pub(super) fn may_leave(&self) -> bool {
        self.writing.as_ref().is_some_and(|(_, may_leave)| *may_leave)
    }

    pub(super) fn done(&mut self) {
        if let Some((payload, _)) = self.writing.take() {
            self.bytes -= payload.bytes();
        }
    }

    /// Takes out all that waits, and says how many there were.
    pub(super) fn clear(&mut self) -> usize {
        let cleared = self.waiting.len();
        self.bytes -= self.waiting.iter().map(Payload::bytes).sum::<usize>();
        self.waiting.clear();
        self.names.clear();
        cleared
    }

    /// Takes out what may not leave under these levels, and says how many there were.
    pub(super) fn lower(&mut self, levels: &Levels) -> usize {
        if let Some((payload, may_leave)) = &mut self.writing {
            *may_leave &= !payload.is_lowered_by(levels);
        }
        let before = self.waiting.len();
        self.waiting.retain(|payload| {
            let is_kept = !payload.is_lowered_by(levels);
            if !is_kept {
                self.bytes -= payload.bytes();
                self.names.remove(&payload.name);
            }
            is_kept
        });
        before - self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.writing.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Algorithm;
    use crate::privacy::Level;

    fn payload(name: u8, bytes: usize, level: Level) -> Payload {
        let name = Digest { algorithm: Algorithm::Sha256, bytes: [name; 32] };
        let levels = Levels::all(level);
        Payload { name, text: "x".repeat(bytes).into(), classes: &[Field::Prompts], levels }
    }

    #[test]
    fn bytes_are_bounded_and_come_free_when_a_payload_is_done() {
        let mut queue = Queue::default();
        assert_eq!(queue.offer(payload(1, MAX_BYTES - OVERHEAD, Level::Masked)), Offered::Taken);
        assert_eq!(queue.offer(payload(2, 1, Level::Masked)), Offered::OverBound);
        queue.next();
        assert_eq!(queue.offer(payload(2, 1, Level::Masked)), Offered::OverBound, "what is written is in memory");
        queue.done();
        assert_eq!(queue.offer(payload(2, 1, Level::Masked)), Offered::Taken);
        assert_eq!(queue.clear(), 1);
        assert_eq!((queue.bytes, queue.is_empty()), (0, true));
    }

    #[test]
    fn one_name_waits_once() {
        let mut queue = Queue::default();
        assert_eq!(queue.offer(payload(1, 1, Level::Masked)), Offered::Taken);
        assert_eq!(queue.offer(payload(1, 1, Level::Masked)), Offered::Known);
        queue.next();
        assert_eq!(queue.offer(payload(1, 1, Level::Masked)), Offered::Known);
        queue.done();
        assert_eq!(queue.offer(payload(1, 1, Level::Masked)), Offered::Taken);
    }

    #[test]
    fn what_a_stricter_policy_hides_is_taken_out_and_what_is_being_written_gets_no_name() {
        let mut queue = Queue::default();
        for name in 1..=3 {
            queue.offer(payload(name, 1, if name == 3 { Level::Full } else { Level::Masked }));
        }
        queue.next();
        assert_eq!(queue.lower(&Levels::all(Level::Masked)), 1, "what was full is not masked");
        assert!(queue.may_leave());
        assert_eq!(queue.lower(&Levels::all(Level::Preview)), 1);
        assert!(!queue.may_leave());
        queue.done();
        assert_eq!((queue.bytes, queue.names.len(), queue.is_empty()), (0, 0, true));
    }
}
