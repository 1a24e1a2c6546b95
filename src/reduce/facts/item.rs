//! Model-visible items in the table of their rollout: a request that repeats its history costs a few bytes.

use std::borrow::Borrow;
use std::sync::Arc;

use smallvec::SmallVec;

use super::codec::{optional_digest, read_optional_digest};
use super::reading::Reading;
use super::row::{RowReader, RowWriter};
use super::tables::Tables;
use crate::event::Veiled;
use crate::event::{
    Channel, Digest, Facet, Histories, Input, Item, ItemKind, ItemPart, Measure, Output, PartKind, Role,
};

/// Beside the role: more is known of the item than that.
const WITH_FACET: u8 = 0x80;

/// What a model was sent, its items by their places in the table. Places say nothing of order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::reduce) struct InputFact {
    pub(in crate::reduce) prefix: Option<Digest>,
    pub(in crate::reduce) chain: Option<Digest>,
    pub(in crate::reduce) omitted: Option<u64>,
    pub(in crate::reduce) system: Measure,
    pub(in crate::reduce) tools: Option<Digest>,
    pub(in crate::reduce) blobs: Vec<Digest>,
    pub(in crate::reduce) items: Vec<u32>,
}

/// What a model answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::reduce) struct OutputFact {
    pub(in crate::reduce) blobs: Vec<Digest>,
    pub(in crate::reduce) items: Vec<u32>,
}

/// Both histories of a compaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::reduce) struct HistoriesFact {
    pub(in crate::reduce) replaced: InputFact,
    pub(in crate::reduce) replacement: InputFact,
}

impl Tables {
    pub(super) fn input(&mut self, input: &Input, row: &mut RowWriter) -> Option<()> {
        self.shared(input.prefix.as_ref(), row)?;
        self.shared(input.chain.as_ref(), row)?;
        row.optional(input.omitted);
        self.shared(input.system.digest.as_ref(), row)?;
        row.optional(input.system.length);
        self.shared(input.tools.as_ref(), row)?;
        self.blobs(&input.blobs, row)?;
        self.items(input.items.iter(), &input.facets, row)
    }

    pub(super) fn read_input(&self, row: &mut RowReader<'_>) -> InputFact {
        InputFact {
            prefix: self.read_shared(row),
            chain: self.read_shared(row),
            omitted: row.optional(),
            system: Measure { digest: self.read_shared(row), length: row.optional(), ..Measure::default() },
            tools: self.read_shared(row),
            blobs: self.read_blobs(row),
            items: read_places(row),
        }
    }

    pub(super) fn output(&mut self, output: &Output, row: &mut RowWriter) -> Option<()> {
        self.blobs(&output.blobs, row)?;
        self.items(output.items.iter().map(answered), &output.facets, row)
    }

    pub(super) fn read_output(&self, row: &mut RowReader<'_>) -> OutputFact {
        OutputFact { blobs: self.read_blobs(row), items: read_places(row) }
    }

    pub(super) fn histories(&mut self, histories: &Histories<Veiled>, row: &mut RowWriter) -> Option<()> {
        self.input(&histories.replaced, row)?;
        self.input(&histories.replacement, row)
    }

    pub(super) fn read_histories(&self, row: &mut RowReader<'_>) -> HistoriesFact {
        HistoriesFact { replaced: self.read_input(row), replacement: self.read_input(row) }
    }

    fn blobs(&mut self, blobs: &[Digest], row: &mut RowWriter) -> Option<()> {
        row.number(blobs.len() as u64);
        blobs.iter().try_for_each(|blob| self.shared(Some(blob), row))
    }

    fn read_blobs(&self, row: &mut RowReader<'_>) -> Vec<Digest> {
        (0..row.count()).filter_map(|_| self.read_shared(row)).collect()
    }

    /// Places that follow one another are written as one.
    fn items(
        &mut self,
        items: impl ExactSizeIterator<Item = impl Borrow<Item>>,
        facets: &[Arc<Facet>],
        row: &mut RowWriter,
    ) -> Option<()> {
        let count = items.len() as u64;
        let mut runs: SmallVec<[(u32, u32); 4]> = SmallVec::new();
        for (number, item) in items.enumerate() {
            let place = self.item(item.borrow(), facets.get(number).map(|facet| &**facet))?;
            match runs.last_mut() {
                Some((first, count)) if first.checked_add(*count) == Some(place) => *count += 1,
                _ => runs.push((place, 1)),
            }
        }
        row.number(count);
        let mut expected = 0i64;
        for (first, count) in runs {
            row.signed(i64::from(first) - expected);
            row.number(u64::from(count));
            expected = i64::from(first) + i64::from(count);
        }
        Some(())
    }

    fn item(&mut self, item: &Item, facet: Option<&Facet>) -> Option<u32> {
        let mut entry = RowWriter::default();
        entry.byte(role_byte(item.role) | if facet.is_some() { WITH_FACET } else { 0 });
        // An item that is known by its parts has the digest of one of them; that of another stands nowhere else.
        match facet {
            Some(_) => self.shared(item.digest.as_ref(), &mut entry)?,
            None => optional_digest(item.digest.as_ref(), &mut entry),
        }
        entry.optional(item.length);
        self.text(&item.part_kinds, &mut entry)?;
        if let Some(facet) = facet {
            entry.byte(byte_of(ItemKind::ALL, facet.kind));
            entry.byte(facet.channel.map_or(0, |channel| 1 + byte_of(Channel::ALL, channel)));
            self.optional_text(facet.call_id.as_ref(), &mut entry)?;
            self.optional_text(facet.name.as_ref(), &mut entry)?;
            entry.byte(u8::from(facet.between.is_some()));
            facet.between.iter().flatten().try_for_each(|party| self.text(party, &mut entry))?;
            entry.number(facet.parts.len() as u64);
            for part in &facet.parts {
                entry.byte(byte_of(PartKind::ALL, part.kind));
                self.shared(part.digest.as_ref(), &mut entry)?;
                entry.number(part.length);
            }
        }
        self.items.place(entry.bytes())
    }
}

impl Reading<'_> {
    /// How many items there are in the table.
    pub(in crate::reduce) fn items_count(&self) -> u32 {
        self.tables().items.len()
    }

    /// What makes the item at a place the same as another, where it is known as a whole: all of it but the kinds of its
    /// parts, and its length only where there is no digest. Nothing where it is known by its parts.
    pub(in crate::reduce) fn sameness(&self, place: u32) -> Option<&[u8]> {
        let whole = self.tables().items.get(place).unwrap_or_default();
        let mut entry = RowReader { rest: whole };
        if entry.byte() & WITH_FACET != 0 {
            return None;
        }
        if read_optional_digest(&mut entry).is_none() {
            entry.optional();
        }
        whole.get(..whole.len() - entry.rest.len())
    }

    /// The item at a place of the table, whatever else is known of it.
    pub(in crate::reduce) fn item_alone(&self, place: u32) -> Item {
        self.read_item(&mut RowReader { rest: self.tables().items.get(place).unwrap_or_default() }).0
    }

    fn read_item(&self, entry: &mut RowReader<'_>) -> (Item, bool) {
        let first = entry.byte();
        let has_facet = first & WITH_FACET != 0;
        let item = Item {
            role: role_of(first & !WITH_FACET),
            digest: if has_facet { self.tables().read_shared(entry) } else { read_optional_digest(entry) },
            length: entry.optional(),
            part_kinds: self.read_text(entry),
        };
        (item, has_facet)
    }

    /// The item at a place of the table.
    pub(in crate::reduce) fn item(&self, place: u32) -> (Item, Option<Facet>) {
        let mut entry = RowReader { rest: self.tables().items.get(place).unwrap_or_default() };
        let (item, has_facet) = self.read_item(&mut entry);
        if !has_facet {
            return (item, None);
        }
        let kind = of_byte(ItemKind::ALL, entry.byte()).unwrap_or(ItemKind::Unknown);
        let channel = entry.byte().checked_sub(1).and_then(|byte| of_byte(Channel::ALL, byte));
        let (call_id, name) = (self.read_optional_text(&mut entry), self.read_optional_text(&mut entry));
        let between = (entry.byte() == 1).then(|| [self.read_text(&mut entry), self.read_text(&mut entry)]);
        let part = |entry: &mut RowReader<'_>| ItemPart {
            kind: of_byte(PartKind::ALL, entry.byte()).unwrap_or(PartKind::Reference),
            digest: self.tables().read_shared(entry),
            length: entry.number(),
        };
        let parts = (0..entry.count()).map(|_| part(&mut entry)).collect();
        (item, Some(Facet { kind, channel, call_id, name, between, parts }))
    }
}

/// A message of an answer: who said it is known.
fn answered(measure: &Measure) -> Item {
    let Measure { digest, length, .. } = *measure;
    Item { digest, role: Role::Assistant, length, part_kinds: Default::default() }
}

fn read_places(row: &mut RowReader<'_>) -> Vec<u32> {
    let mut left = row.number();
    let mut places = Vec::new();
    let mut expected = 0i64;
    while left > 0 && !row.rest.is_empty() {
        let first = expected.wrapping_add(row.signed());
        let count = row.number().min(left).max(1);
        places.extend((0..count).map(|step| u32::try_from(first + step as i64).unwrap_or(u32::MAX)));
        expected = first + count as i64;
        left -= count;
    }
    places
}

fn byte_of<T: PartialEq>(all: &[T], one: T) -> u8 {
    all.iter().position(|known| *known == one).unwrap_or_default() as u8
}

fn of_byte<T: Copy>(all: &[T], byte: u8) -> Option<T> {
    all.get(usize::from(byte)).copied()
}

fn role_byte(role: Role) -> u8 {
    byte_of(&Role::ALL, role)
}

fn role_of(byte: u8) -> Role {
    of_byte(&Role::ALL, byte).unwrap_or(Role::Other)
}
