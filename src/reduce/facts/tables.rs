//! What rows of one rollout have in common, kept once: texts, digests, items, ids.

use bytestring::ByteString;

use super::fixed::Fixed;
use super::items::{self, Items};
use super::row::{RowReader, RowWriter, algorithm_byte, unzigzag, zigzag};
use super::table::{Mark, Table};
use crate::event::{At, CallId, CallKind};
use crate::event::{Attrs, Digest, Key, KeyIdentity, ProducerId, Role, Scope, SpanId, TraceId, Value};
use crate::semconv::{KeyId, RESPONSE_ID, TOOL_CALL_ID};

/// The processes whose call ids are written as what tells them apart.
const LOWS: usize = 16;
/// The type of a text that stands by itself.
pub(super) const ALONE: u8 = 7;
/// As many texts are tried before they are looked up: the same attribute mostly says the same again.
const RECENT: usize = 16;

#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    pub(super) texts: Table,
    /// The algorithm and the bytes.
    digests: Fixed<33>,
    pub(super) items: Items,
    /// Which attributes of which types stand together.
    pub(super) shapes: Table,
    traces: Fixed<16>,
    parents: Fixed<8>,
    producers: Fixed<16>,
    /// The last 64 bits of call ids, which those of one process share.
    lows: Vec<u64>,
    first_time: Option<u64>,
    /// The texts that attributes had last.
    recent: [u32; RECENT],
    /// The shapes that were had last, of those that begin alike.
    recent_shapes: [u32; RECENT / 2],
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
        self.digests.back_to(*digests);
        self.items.back_to(items);
        self.shapes.back_to(*shapes);
        self.traces.back_to(*traces);
        self.parents.back_to(*parents);
        self.producers.back_to(*producers);
    }

    pub(super) fn held(&self) -> usize {
        let Self { texts, digests, items, shapes, traces, parents, producers, .. } = self;
        let texts = texts.held() + items.held() + shapes.held();
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
    fn text_of(&mut self, id: KeyId, text: &str, row: &mut RowWriter) -> Option<()> {
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

    /// A time beside another of the same call: what they have in common takes no room.
    pub(super) fn at_since(&mut self, base: &At, at: At, row: &mut RowWriter) -> Option<()> {
        row.signed(at.time_unix_nano.wrapping_sub(base.time_unix_nano) as i64);
        match at.producer {
            same if same == base.producer => row.number(0),
            None => row.number(1),
            Some(producer) => row.number(u64::from(self.producer(producer)?) + 2),
        }
        // The greatest number takes ten bytes and the least two: those of one call are near each other.
        let since = |seq: u64| zigzag(seq.wrapping_sub(base.seq.unwrap_or_default()) as i64).wrapping_add(1);
        row.optional(at.seq.map(since));
        Some(())
    }

    pub(super) fn read_at_since(&self, base: &At, row: &mut RowReader<'_>) -> At {
        let time_unix_nano = base.time_unix_nano.wrapping_add(row.signed() as u64);
        let producer = match row.number() {
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

    /// The ids that a recorder makes begin with the milliseconds of their call's beginning, so they stand beside a time.
    pub(super) fn key(&mut self, key: Key, row: &mut RowWriter) -> Option<()> {
        match key.id {
            KeyIdentity::None => row.byte(0),
            KeyIdentity::Call(id) => {
                let (high, low) = ((id.as_u128() >> 64) as u64, id.as_u128() as u64);
                if !self.lows.contains(&low) && self.lows.len() < LOWS {
                    self.lows.push(low);
                }
                match self.lows.iter().position(|known| *known == low) {
                    Some(place) => {
                        row.byte(3 + place as u8);
                        row.signed(high.wrapping_sub(self.beginning()) as i64);
                    }
                    None => {
                        row.byte(1);
                        row.raw(&id.as_u128().to_be_bytes());
                    }
                }
            }
            KeyIdentity::Span(trace, span) => {
                row.byte(2);
                self.trace(trace, row)?;
                row.raw(span.as_bytes());
            }
        }
        row.number(u64::from(key.occurrence));
        Some(())
    }

    pub(super) fn read_key(&self, kind: CallKind, row: &mut RowReader<'_>) -> Key {
        let id = match row.byte() {
            0 => KeyIdentity::None,
            1 => KeyIdentity::Call(CallId::from(u128::from_be_bytes(row.raw()))),
            2 => {
                let trace = self.read_trace(row);
                let span = SpanId::from_bytes(row.raw());
                trace.zip(span).map_or(KeyIdentity::None, |(trace, span)| KeyIdentity::Span(trace, span))
            }
            place => {
                let low = self.lows.get(usize::from(place - 3)).copied().unwrap_or_default();
                let high = self.beginning().wrapping_add(row.signed() as u64);
                KeyIdentity::Call(CallId::from(u128::from(high) << 64 | u128::from(low)))
            }
        };
        Key { kind, id, occurrence: row.index() }
    }

    /// What an id begins with that was made at the first time.
    fn beginning(&self) -> u64 {
        (self.first_time.unwrap_or_default() / 1_000_000) << 16
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

    /// Their keys and types, which many have in common, by their place; then the values.
    pub(super) fn attrs(&mut self, attrs: &Attrs, row: &mut RowWriter) -> Option<()> {
        row.number(u64::from(self.shape(attrs)?));
        for (id, value) in attrs.iter() {
            match value {
                Value::Text(text) if is_of_one_call(id) => {
                    row.number(text.len() as u64);
                    row.raw(text.as_bytes());
                }
                Value::Text(text) => self.text_of(id, text, row)?,
                Value::Int(number) => row.signed(*number),
                Value::Double(number) => row.raw(&number.to_bits().to_be_bytes()),
                Value::Bool(_) => {}
                Value::Texts(texts) => {
                    row.number(texts.len() as u64);
                    texts.iter().try_for_each(|text| self.text(text, row))?;
                }
                Value::Ints(numbers) => {
                    row.number(numbers.len() as u64);
                    numbers.iter().for_each(|number| row.signed(*number));
                }
            }
        }
        Some(())
    }

    fn shape(&mut self, attrs: &Attrs) -> Option<u32> {
        let first = attrs.iter().next().map_or(0, |(id, _)| usize::from(id.0));
        let recent = self.recent_shapes.get_mut((first + 5 * attrs.len()) % (RECENT / 2))?;
        if !self.shapes.get(*recent).is_some_and(|shape| is_shape(shape, attrs)) {
            let mut shape = RowWriter::default();
            shape.number(attrs.len() as u64);
            for (id, value) in attrs.iter() {
                shape.number(u64::from(id.0));
                shape.byte(type_of(id, value));
            }
            *recent = self.shapes.place(shape.bytes())?;
        }
        Some(*recent)
    }
}

/// Whether these have this shape.
fn is_shape(shape: &[u8], attrs: &Attrs) -> bool {
    let mut shape = RowReader { rest: shape };
    shape.count() == attrs.len()
        && attrs.iter().all(|(id, value)| shape.number() == u64::from(id.0) && shape.byte() == type_of(id, value))
}

fn type_of(id: KeyId, value: &Value) -> u8 {
    match value {
        Value::Text(_) if is_of_one_call(id) => ALONE,
        Value::Text(_) => 0,
        Value::Int(_) => 1,
        Value::Double(_) => 2,
        Value::Bool(flag) => 3 + u8::from(*flag),
        Value::Texts(_) => 5,
        Value::Ints(_) => 6,
    }
}

/// Whether a text is mostly told of one call alone: an entry of its own would take more than it takes itself.
fn is_of_one_call(id: KeyId) -> bool {
    id == TOOL_CALL_ID.id() || id == RESPONSE_ID.id()
}

/// A digest as an entry of its table.
fn bytes_of(digest: &Digest) -> [u8; 33] {
    let mut bytes = [algorithm_byte(digest.algorithm); 33];
    if let Some((_, rest)) = bytes.split_first_mut() {
        rest.copy_from_slice(&digest.bytes);
    }
    bytes
}
