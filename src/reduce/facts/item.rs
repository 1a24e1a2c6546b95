//! Model-visible items in the table of their rollout: a request that repeats its history costs a few bytes.

use std::borrow::Borrow;
use std::sync::Arc;

use smallvec::SmallVec;

use super::items::{Whole, number_of, place_of};
use super::reading::Reading;
use super::row::{RowReader, RowWriter, unzigzag, zigzag};
use super::tables::Tables;
use crate::event::Veiled;
use crate::event::{
    Channel, Digest, Facet, Histories, Input, Item, ItemKind, ItemPart, Measure, Output, PartKind, Role,
};

/// What a request tells of beside its items.
const HAS_PREFIX: u8 = 1;
const HAS_CHAIN: u8 = 1 << 1;
const HAS_OMITTED: u8 = 1 << 2;
const HAS_SYSTEM: u8 = 1 << 3;
const HAS_TOOLS: u8 = 1 << 4;
const HAS_BLOBS: u8 = 1 << 5;
/// The chain digest stands behind that of the prefix, as it does where each request goes on from the one before.
const CHAIN_IS_NEXT: u8 = 1 << 6;

/// The kinds of parts that are known by a number of their own; others are known by the place of their text.
const NUMBERED: usize = 250;
const BY_TEXT: u32 = 256;

/// Where items stand in the tables of their rollout. Most requests add few.
pub(in crate::reduce) type Places = SmallVec<[u32; 4]>;

/// What a model was sent, its items by their places in the table. Places say nothing of order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::reduce) struct InputFact {
    pub(in crate::reduce) prefix: Option<Digest>,
    pub(in crate::reduce) chain: Option<Digest>,
    pub(in crate::reduce) omitted: Option<u64>,
    pub(in crate::reduce) system: Measure,
    pub(in crate::reduce) tools: Option<Digest>,
    pub(in crate::reduce) blobs: Vec<Digest>,
    pub(in crate::reduce) items: Places,
}

/// What a model answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::reduce) struct OutputFact {
    pub(in crate::reduce) blobs: Vec<Digest>,
    pub(in crate::reduce) items: Places,
}

/// Both histories of a compaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::reduce) struct HistoriesFact {
    pub(in crate::reduce) replaced: InputFact,
    pub(in crate::reduce) replacement: InputFact,
}

impl Tables {
    pub(super) fn input(&mut self, input: &Input, row: &mut RowWriter) -> Option<()> {
        let Input { prefix, chain, omitted, system, tools, blobs, .. } = input;
        let of_prefix = self.optional_place(prefix.as_ref())?;
        self.last_chain = self.optional_place(chain.as_ref())?;
        let is_next = of_prefix.is_some() && of_prefix.and_then(|place| place.checked_add(1)) == self.last_chain;
        row.byte(
            (u8::from(prefix.is_some()) * HAS_PREFIX)
                | (u8::from(is_next) * CHAIN_IS_NEXT)
                | (u8::from(chain.is_some()) * HAS_CHAIN)
                | (u8::from(omitted.is_some()) * HAS_OMITTED)
                | (u8::from(system.digest.is_some() || system.length.is_some()) * HAS_SYSTEM)
                | (u8::from(tools.is_some()) * HAS_TOOLS)
                | (u8::from(!blobs.is_empty()) * HAS_BLOBS),
        );
        of_prefix
            .into_iter()
            .chain(self.last_chain.filter(|_| !is_next))
            .for_each(|place| row.number(u64::from(place)));
        if let Some(omitted) = omitted {
            row.number(*omitted);
        }
        if system.digest.is_some() || system.length.is_some() {
            self.shared(system.digest.as_ref(), row)?;
            row.optional(system.length);
        }
        self.digest(tools.as_ref(), row)?;
        self.blobs(blobs, row)?;
        self.items(input.items.iter(), &input.facets, row)
    }

    pub(super) fn read_input(&self, row: &mut RowReader<'_>) -> InputFact {
        let beside = self.read_beside(row);
        InputFact { items: read_places(row), ..beside }
    }

    /// All of an input but its items, which follow.
    pub(super) fn read_beside(&self, row: &mut RowReader<'_>) -> InputFact {
        let has = row.byte();
        let digest = |what: u8, row: &mut RowReader<'_>| if has & what == 0 { None } else { self.read_digest(row) };
        let prefix = (has & HAS_PREFIX != 0).then(|| row.index());
        let chain = match prefix {
            Some(prefix) if has & CHAIN_IS_NEXT != 0 => prefix.checked_add(1),
            _ => (has & HAS_CHAIN != 0).then(|| row.index()),
        };
        let (prefix, chain) =
            (prefix.and_then(|place| self.digest_at(place)), chain.and_then(|place| self.digest_at(place)));
        let omitted = (has & HAS_OMITTED != 0).then(|| row.number());
        let mut system = Measure::default();
        if has & HAS_SYSTEM != 0 {
            (system.digest, system.length) = (self.read_shared(row), row.optional());
        }
        let tools = digest(HAS_TOOLS, row);
        let blobs = if has & HAS_BLOBS == 0 { Vec::new() } else { self.read_blobs(row) };
        InputFact { prefix, chain, omitted, system, tools, blobs, items: Places::new() }
    }

    /// Where the prefix of an input stands that is read next.
    pub(super) fn peek_prefix(mut row: RowReader<'_>) -> Option<u32> {
        (row.byte() & HAS_PREFIX != 0).then(|| row.index())
    }

    pub(super) fn output(&mut self, output: &Output, row: &mut RowWriter) -> Option<()> {
        self.blobs(&output.blobs, row)?;
        self.items(output.items.iter().map(answered), &output.facets, row)
    }

    pub(super) fn read_output(&self, has_blobs: bool, row: &mut RowReader<'_>) -> OutputFact {
        let blobs = if has_blobs { self.read_blobs(row) } else { Vec::new() };
        OutputFact { blobs, items: read_places(row) }
    }

    pub(super) fn histories(&mut self, histories: &Histories<Veiled>, row: &mut RowWriter) -> Option<()> {
        let mut replaced = RowWriter::default();
        self.input(&histories.replaced, &mut replaced)?;
        row.number(replaced.bytes().len() as u64);
        row.raw(replaced.bytes());
        self.input(&histories.replacement, row)
    }

    pub(super) fn read_histories(&self, row: &mut RowReader<'_>) -> HistoriesFact {
        let length = row.count();
        let (replaced, rest) = row.rest.split_at_checked(length).unwrap_or_default();
        row.rest = rest;
        HistoriesFact {
            replaced: self.read_input(&mut RowReader { rest: replaced }),
            replacement: self.read_input(row),
        }
    }

    /// The place of a digest that other rows have too, where there is one.
    fn optional_place(&mut self, digest: Option<&Digest>) -> Option<Option<u32>> {
        match digest {
            Some(digest) => self.digest_place(digest).map(Some),
            None => Some(None),
        }
    }

    /// The same, as it stands in a row.
    fn digest(&mut self, digest: Option<&Digest>, row: &mut RowWriter) -> Option<()> {
        if let Some(place) = self.optional_place(digest)? {
            row.number(u64::from(place));
        }
        Some(())
    }

    fn read_digest(&self, row: &mut RowReader<'_>) -> Option<Digest> {
        self.digest_at(row.index())
    }

    /// Where there are any.
    fn blobs(&mut self, blobs: &[Digest], row: &mut RowWriter) -> Option<()> {
        if !blobs.is_empty() {
            row.number(blobs.len() as u64);
        }
        blobs.iter().try_for_each(|blob| self.digest(Some(blob), row))
    }

    fn read_blobs(&self, row: &mut RowReader<'_>) -> Vec<Digest> {
        (0..row.count()).filter_map(|_| self.read_digest(row)).collect()
    }

    /// Places that follow one another are written as one. They go on to the end of what is written.
    fn items(
        &mut self,
        items: impl Iterator<Item = impl Borrow<Item>>,
        facets: &[Arc<Facet>],
        row: &mut RowWriter,
    ) -> Option<()> {
        let mut expected = 0;
        let mut run: Option<(u32, u32)> = None;
        for (number, item) in items.enumerate() {
            let place = self.item(item.borrow(), facets.get(number).map(|facet| &**facet))?;
            match &mut run {
                Some((first, count)) if first.checked_add(*count) == Some(place) => *count += 1,
                _ => write_run(run.replace((place, 1)), &mut expected, row),
            }
        }
        write_run(run, &mut expected, row);
        Some(())
    }

    fn item(&mut self, item: &Item, facet: Option<&Facet>) -> Option<u32> {
        let role = role_byte(item.role);
        let Some(facet) = facet else {
            let kinds = self.part_kinds(role, &item.part_kinds)?;
            return self.items.place(&Whole { digest: item.digest, role, length: item.length, kinds });
        };
        let mut entry = RowWriter::default();
        entry.byte(role);
        // It has the digest of one of its parts.
        self.shared(item.digest.as_ref(), &mut entry)?;
        entry.optional(item.length);
        self.text(&item.part_kinds, &mut entry)?;
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
        self.items.place_of_parted(entry.bytes())
    }

    /// The kinds of an item's parts as they stand beside its digest.
    fn part_kinds(&mut self, role: u8, kinds: &str) -> Option<u32> {
        if kinds.is_empty() {
            return Some(0);
        }
        let recent = self.recent_kinds.get(usize::from(role)).copied().unwrap_or_default();
        if self.text_of_kinds(recent).is_some_and(|place| self.texts.get(place) == Some(kinds.as_bytes())) {
            return Some(recent);
        }
        let place = self.texts.place(kinds.as_bytes())?;
        let number = match self.kinds.iter().position(|known| *known == place) {
            Some(known) => known as u32 + 1,
            None if self.kinds.len() < NUMBERED => {
                self.kinds.push(place);
                self.kinds.len() as u32
            }
            None => place.checked_add(BY_TEXT)?,
        };
        *self.recent_kinds.get_mut(usize::from(role))? = number;
        Some(number)
    }

    /// The place of the text of an item's kinds of parts, unless that is empty.
    fn text_of_kinds(&self, kinds: u32) -> Option<u32> {
        match kinds.checked_sub(BY_TEXT) {
            Some(place) => Some(place),
            None => self.kinds.get(kinds.checked_sub(1)? as usize).copied(),
        }
    }
}

impl Reading<'_> {
    /// How many items there are at most.
    pub(in crate::reduce) fn items_count(&self) -> u32 {
        self.tables().items.len()
    }

    /// What the places of items that are the same have in common: those of one role and digest, or of one role and length
    /// where there is no digest. Nothing where an item is known by its parts.
    pub(in crate::reduce) fn same(&self, place: u32) -> Option<u32> {
        self.tables().items.same(place)
    }

    /// The item at a place, whatever else is known of it.
    pub(in crate::reduce) fn item_alone(&self, place: u32) -> Item {
        let items = &self.tables().items;
        match items.whole(place) {
            Some(Whole { digest, role, length, kinds }) => {
                let place = self.tables().text_of_kinds(kinds);
                let part_kinds = place.map(|place| self.text_at(place)).unwrap_or_default();
                Item { digest, role: role_of(role), length, part_kinds }
            }
            None => self.read_parted(&mut RowReader { rest: items.parted(place).unwrap_or_default() }),
        }
    }

    fn read_parted(&self, entry: &mut RowReader<'_>) -> Item {
        Item {
            role: role_of(entry.byte()),
            digest: self.tables().read_shared(entry),
            length: entry.optional(),
            part_kinds: self.read_text(entry),
        }
    }

    /// The item at a place.
    pub(in crate::reduce) fn item(&self, place: u32) -> (Item, Option<Facet>) {
        let Some(entry) = self.tables().items.parted(place) else { return (self.item_alone(place), None) };
        let mut entry = RowReader { rest: entry };
        let item = self.read_parted(&mut entry);
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

/// Writes how many follow one another, and how far from where the run before them ended.
fn write_run(run: Option<(u32, u32)>, expected: &mut i64, row: &mut RowWriter) {
    let Some((first, count)) = run else { return };
    // Mostly it is one.
    row.number(zigzag(number_of(first) - *expected) << 1 | u64::from(count > 1));
    if count > 1 {
        row.number(u64::from(count));
    }
    *expected = number_of(first.wrapping_add(count));
}

/// A message of an answer: who said it is known.
fn answered(measure: &Measure) -> Item {
    let Measure { digest, length, .. } = *measure;
    Item { digest, role: Role::Assistant, length, part_kinds: Default::default() }
}

fn read_places(row: &mut RowReader<'_>) -> Places {
    let mut places = Places::new();
    read_runs(row, &mut |first, count| places.extend((0..count).map(|step| first.wrapping_add(step))));
    places
}

/// Places that follow one another: the first, and how many there are. They go on to the end of the row.
pub(super) fn read_runs(row: &mut RowReader<'_>, run: &mut dyn FnMut(u32, u32)) {
    let mut expected = 0i64;
    while !row.rest.is_empty() {
        let told = row.number();
        let first = place_of(expected.wrapping_add(unzigzag(told >> 1)));
        let count = if told & 1 == 0 { 1 } else { row.index() };
        run(first, count);
        expected = number_of(first.wrapping_add(count));
    }
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
