//! Where an observation belongs, and when it was made.

use bytestring::ByteString;

use super::{CallId, CallKind, ProducerId, RawAttrs, SpanId, TraceId, hex};

/// The identity path of a call. Every id is scoped by the ones before it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// Whose data this is (`veilspan.tenant.id`).
    pub tenant: Option<ByteString>,
    /// One root agent run with all its sub-agents (`veilspan.rollout.id`).
    pub rollout: ByteString,
    /// One agent's message history (`veilspan.thread.id`).
    pub thread: ByteString,
    /// One activation of one agent (`veilspan.turn.id`).
    pub turn: ByteString,
}

impl Scope {
    /// An id as it was given; of one of more than 4096 bytes the beginning, which is no name either.
    pub(crate) fn id(text: &str) -> ByteString {
        let end = text.floor_char_boundary(RawAttrs::MAX_TEXT_BYTES);
        text.get(..end).unwrap_or_default().into()
    }

    /// The bytes that its ids keep in memory.
    pub(crate) fn held_bytes(&self) -> usize {
        let tenant = self.tenant.as_ref().map_or(0, |tenant| tenant.len());
        tenant + self.rollout.len() + self.thread.len() + self.turn.len()
    }
}

/// What an event is about. Two events with equal keys in one scope speak of the same call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The kind of call.
    pub kind: CallKind,
    /// Its identity. A provider's call id is never one: they repeat.
    pub id: KeyIdentity,
    /// Which use of the identity, in order of time; 0 where it is unique.
    pub occurrence: u32,
}

/// How a call is told from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyIdentity {
    /// Our own id (`veilspan.call.id`).
    Call(CallId),
    /// The span that told of it, where the producer is not ours.
    Span(TraceId, SpanId),
    /// Nothing: a tick of the clock.
    None,
}

/// When an event was observed, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct At {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub time_unix_nano: u64,
    /// The process life that observed it.
    pub producer: Option<ProducerId>,
    /// That process' own counter. Never compared across producers.
    pub seq: Option<u64>,
}

impl At {
    /// Whether it was observed after the other. What happened at the same time in one process is told apart by that
    /// process' count; of two processes nothing is known then.
    pub(crate) fn is_after(&self, other: &Self) -> bool {
        let (time, of_other) = (self.time_unix_nano, other.time_unix_nano);
        time > of_other || time == of_other && self.producer == other.producer && self.seq > other.seq
    }
}

/// Through which door an event came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Source {
    /// Our own recorder, in this process.
    Recorder,
    /// A span read from OTLP.
    Otlp,
    /// A recording of another program.
    Import,
    /// The host's clock.
    Clock,
}

/// The ids of the span that tells of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanIds {
    /// The trace.
    pub trace: TraceId,
    /// The span itself.
    pub span: SpanId,
    /// The span it is a child of.
    pub parent: Option<SpanId>,
    /// Whether that parent belongs to another process.
    pub parent_is_remote: bool,
}

/// The digits of a trace id and a span id, and what stands between them.
const OWN_ID_CHARS: usize = 32 + 1 + 16;

impl SpanIds {
    /// The id that a call makes of its own span where nobody gave it one: `<trace id>-<span id>`.
    pub(crate) fn own_id(&self) -> ByteString {
        std::str::from_utf8(&self.own_digits()).unwrap_or_default().into()
    }

    fn own_digits(&self) -> [u8; OWN_ID_CHARS] {
        let mut own = [b'-'; OWN_ID_CHARS];
        let (trace, rest) = own.split_at_mut(32);
        hex::write(self.trace.as_bytes(), trace);
        if let [_, span @ ..] = rest {
            hex::write(self.span.as_bytes(), span);
        }
        own
    }

    /// Whether this is that id.
    pub(crate) fn is_own_id(&self, id: &str) -> bool {
        id.len() == OWN_ID_CHARS && id.as_bytes() == self.own_digits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_id_is_known_again_and_no_other_is() {
        let ids =
            || SpanIds { trace: TraceId::random(), span: SpanId::random(), parent: None, parent_is_remote: false };
        let (one, other) = (ids(), ids());
        assert!(one.is_own_id(&one.own_id()) && !one.is_own_id(&other.own_id()));
        let id = one.own_id();
        let shorter = id.get(1..).unwrap();
        for wrong in ["", "x", shorter, &format!("{id}0"), &format!("ü{shorter}"), &id.replace('-', "_")] {
            assert!(!one.is_own_id(wrong), "{wrong}");
        }
    }

    #[test]
    fn of_a_long_id_the_beginning_is_held() {
        assert_eq!(Scope::id("an id"), "an id");
        for long in ["x".repeat(1 << 20), format!("x{}", "ü".repeat(1 << 20))] {
            let id = Scope::id(&long);
            assert!(id.len() > 4000 && id.len() <= 4096 && long.starts_with(&*id));
        }
    }
}
