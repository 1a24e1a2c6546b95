//! What rows of one rollout have in common, kept once: texts, digests, items, ids.

use bytestring::ByteString;

use super::fixed::Fixed;
use super::items::{self, Items};
use super::row::{RowReader, RowWriter, algorithm_byte, unzigzag, zigzag};
use super::shapes::Shapes;
use super::table::{Mark, Table};
use crate::event::{At, Digest, ProducerId, Role, Scope, SpanId, TraceId};
use crate::semconv::KeyId;

/// As many texts are tried before they are looked up: the same attribute mostly says the same again.
const RECENT: usize = 16;

#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    pub(super) texts: Table,
    /// The algorithm and the bytes.
    digests: Fixed<33>,
    pub(super) items: Items,
    pub(super) shapes: Shapes,
    traces: Fixed<16>,
    parents: Fixed<8>,
    producers: Fixed<16>,
    /// The last 64 bits of call ids, which those of one process share, and the others of the first one: they are near that.
    pub(super) own: Vec<(u64, u64)>,
    first_time: Option<u64>,
    /// The texts that attributes had last.
    recent: [u32; RECENT],
    /// The texts of kinds of parts, by the number that items have of them.
    pub(super) kinds: Vec<u32>,
    /// The kinds that an item of each role had last.
    pub(super) recent_kinds: [u32; Role::ALL.len()],
    /// The chain digest of the history that was written last.
    pub(super) last_chain: Option<u32>,
}

/// As much as the tables had.
pub(super) struct Marks([Mark; 6], items::Marks);

impl Tables {
    pub(super) fn marks(&self) -> Marks {
        let Self { texts, digests, items, shapes, traces, parents, producers, .. } = self;
        let ids = [traces.mark(), parents.mark(), producers.mark()];
        let [traces, parents, producers] = ids;
        Marks([texts.mark(), digests.mark(), shapes.mark(), traces, parents, producers], items.marks())
    }

    pub(super) fn back_to(&mut self, Marks([texts, digests, shapes, traces, parents, producers], items): &Marks) {
        self.texts.back_to(*texts);
        self.kinds.retain(|text| *text < texts.0);
        self.digests.back_to(*digests);
        self.items.back_to(items);
        self.shapes.back_to(*shapes);
        self.traces.back_to(*traces);
        self.parents.back_to(*parents);
        self.producers.back_to(*producers);
    }

    pub(super) fn held(&self) -> usize {
        let Self { texts, digests, items, shapes, traces, parents, producers, .. } = self;
        let texts = texts.held() + self.kinds.capacity() * size_of::<u32>() + items.held() + shapes.held();
        texts + digests.held() + traces.held() + parents.held() + producers.held()
    }

    pub(super) fn text_place(&mut self, text: &str) -> Option<u32> {
        self.texts.place(text.as_bytes())
    }

    pub(super) fn find_text(&self, text: &str) -> Option<u32> {
        self.texts.find(text.as_bytes())
    }

    /// Whether these places are those of a scope's thread and turn.
    pub(super) fn is_turn(&self, scope: &Scope, thread: u32, turn: u32) -> bool {
        let is = |place, text: &str| self.texts.get(place) == Some(text.as_bytes());
        is(turn, &scope.turn) && is(thread, &scope.thread)
    }

    pub(super) fn text(&mut self, text: &str, row: &mut RowWriter) -> Option<()> {
        row.number(u64::from(self.text_place(text)?));
        Some(())
    }

    pub(super) fn optional_text(&mut self, text: Option<&ByteString>, row: &mut RowWriter) -> Option<()> {
        let place = match text {
            Some(text) => Some(u64::from(self.text_place(text)?)),
            None => None,
        };
        row.optional(place);
        Some(())
    }

    /// A text of an attribute.
    pub(super) fn text_of(&mut self, id: KeyId, text: &str, row: &mut RowWriter) -> Option<()> {
        // Calls of different kinds take turns, and say different things under the same key.
        let slot = (usize::from(id.0) * 5 + text.len()) % RECENT;
        let recent = self.recent.get(slot).copied().unwrap_or_default();
        if self.texts.get(recent) == Some(text.as_bytes()) {
            row.number(u64::from(recent));
            return Some(());
        }
        let place = self.text_place(text)?;
        if let Some(recent) = self.recent.get_mut(slot) {
            *recent = place;
        }
        row.number(u64::from(place));
        Some(())
    }

    /// A digest that other rows have too, or none.
    pub(super) fn shared(&mut self, digest: Option<&Digest>, row: &mut RowWriter) -> Option<()> {
        let place = match digest {
            Some(digest) => Some(u64::from(self.digest_place(digest)?)),
            None => None,
        };
        row.optional(place);
        Some(())
    }

    pub(super) fn read_shared(&self, row: &mut RowReader<'_>) -> Option<Digest> {
        self.digest_at(u32::try_from(row.optional()?).unwrap_or(u32::MAX))
    }

    pub(super) fn digest_place(&mut self, digest: &Digest) -> Option<u32> {
        self.digests.place(&bytes_of(digest))
    }

    pub(super) fn digest_at(&self, place: u32) -> Option<Digest> {
        Some(RowReader { rest: self.digests.get(place)? }.digest())
    }

    pub(super) fn find_digest(&self, digest: &Digest) -> Option<u32> {
        self.digests.find(&bytes_of(digest))
    }

    /// The first time that was told is what others are counted from.
    pub(super) fn begin(&mut self, at: At) {
        self.first_time.get_or_insert(at.time_unix_nano);
    }

    /// A time by itself.
    pub(super) fn at(&mut self, at: At, row: &mut RowWriter) -> Option<()> {
        row.signed(at.time_unix_nano.wrapping_sub(self.first_time.unwrap_or_default()) as i64);
        match at.producer {
            Some(producer) => row.number(u64::from(self.producer(producer)?) + 1),
            None => row.number(0),
        }
        row.optional(at.seq);
        Some(())
    }

    pub(super) fn read_at(&self, row: &mut RowReader<'_>) -> At {
        let time_unix_nano = self.first_time.unwrap_or_default().wrapping_add(row.signed() as u64);
        let producer = row.number().checked_sub(1).map(|place| self.read_producer(place));
        At { time_unix_nano, producer, seq: row.optional() }
    }

    /// A time beside another of the same call: what they have in common takes no room. Who told of it is left out where that
    /// is known to be the same.
    pub(super) fn at_since(&mut self, base: &At, at: At, is_by_same: bool, row: &mut RowWriter) -> Option<()> {
        row.signed(at.time_unix_nano.wrapping_sub(base.time_unix_nano) as i64);
        match at.producer {
            _ if is_by_same => {}
            same if same == base.producer => row.number(0),
            None => row.number(1),
            Some(producer) => row.number(u64::from(self.producer(producer)?) + 2),
        }
        // The greatest number takes ten bytes and the least two: those of one call are near each other.
        let since = |seq: u64| zigzag(seq.wrapping_sub(base.seq.unwrap_or_default()) as i64).wrapping_add(1);
        row.optional(at.seq.map(since));
        Some(())
    }

    pub(super) fn read_at_since(&self, base: &At, is_by_same: bool, row: &mut RowReader<'_>) -> At {
        let time_unix_nano = base.time_unix_nano.wrapping_add(row.signed() as u64);
        let producer = match if is_by_same { 0 } else { row.number() } {
            0 => base.producer,
            1 => None,
            place => Some(self.read_producer(place - 2)),
        };
        let since = |number: u64| base.seq.unwrap_or_default().wrapping_add(unzigzag(number.wrapping_sub(1)) as u64);
        At { time_unix_nano, producer, seq: row.optional().map(since) }
    }

    fn producer(&mut self, producer: ProducerId) -> Option<u32> {
        self.producers.place(&producer.as_u128().to_be_bytes())
    }

    fn read_producer(&self, place: u64) -> ProducerId {
        let bytes = self.producers.get(place as u32).copied().unwrap_or_default();
        ProducerId::from(u128::from_be_bytes(bytes))
    }

    pub(super) fn trace(&mut self, trace: TraceId, row: &mut RowWriter) -> Option<()> {
        row.number(u64::from(self.traces.place(trace.as_bytes())?));
        Some(())
    }

    pub(super) fn read_trace(&self, row: &mut RowReader<'_>) -> Option<TraceId> {
        TraceId::from_bytes(*self.traces.get(row.index())?)
    }

    pub(super) fn parent(&mut self, parent: Option<SpanId>, row: &mut RowWriter) -> Option<()> {
        let place = match parent {
            Some(parent) => Some(u64::from(self.parents.place(parent.as_bytes())?)),
            None => None,
        };
        row.optional(place);
        Some(())
    }

    pub(super) fn read_parent(&self, row: &mut RowReader<'_>) -> Option<SpanId> {
        let place = u32::try_from(row.optional()?).ok()?;
        SpanId::from_bytes(*self.parents.get(place)?)
    }
}

/// A digest as an entry of its table.
fn bytes_of(digest: &Digest) -> [u8; 33] {
    let mut bytes = [algorithm_byte(digest.algorithm); 33];
    if let Some((_, rest)) = bytes.split_first_mut() {
        rest.copy_from_slice(&digest.bytes);
    }
    bytes
}
