//! What models were shown and produced.

use bytestring::ByteString;

use crate::event::{Digest, Facet, Item, Key, Measure};

/// A model-visible item of a thread. Its number is its place in [`Thread::items`](super::Thread::items).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VisibleItem {
    /// Its digest, role and length.
    pub item: Item,
    /// What kind of item it is, its labels and its parts, where the source tells items that finely.
    pub facet: Option<Facet>,
    /// The turn that showed it first.
    pub turn: ByteString,
    /// When that was, in nanoseconds since 1970.
    pub first_seen_unix_nano: u64,
    /// What brought it into the history: nothing where it was first seen in a request.
    pub produced_by: Vec<Producer>,
}

/// What produced an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Producer {
    /// A model's answer.
    Inference(Key),
    /// A tool's result.
    Tool(Key),
    /// A code cell's output.
    CodeCell(Key),
    /// A compaction, by its id.
    Compaction(ByteString),
}

/// Numbers of items, in order. Most histories are a few runs of numbers that follow one another.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Numbers {
    runs: Vec<(u32, u32)>,
}

impl Numbers {
    /// Appends a number.
    pub fn push(&mut self, number: u32) {
        match self.runs.last_mut() {
            Some((first, count)) if first.checked_add(*count) == Some(number) => *count += 1,
            _ => self.runs.push((number, 1)),
        }
    }

    /// The numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.runs.iter().flat_map(|(first, count)| (0..*count).map(move |step| first + step))
    }

    /// The runs: the first number of each, and how many there are.
    pub fn runs(&self) -> &[(u32, u32)] {
        &self.runs
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.runs.iter().map(|(_, count)| *count as usize).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether these are the first of the others. O(runs).
    pub(in crate::reduce) fn begins(&self, other: &Self) -> bool {
        let Some(((first, count), before)) = self.runs.split_last() else { return true };
        let same = other.runs.get(..before.len()) == Some(before);
        same && other.runs.get(before.len()).is_some_and(|(start, length)| start == first && count <= length)
    }

    /// The first `length` of these.
    pub(in crate::reduce) fn first(&self, length: usize) -> Self {
        let mut left = u32::try_from(length).unwrap_or(u32::MAX);
        let mut runs = Vec::new();
        for (first, count) in &self.runs {
            if left == 0 {
                break;
            }
            let taken = left.min(*count);
            runs.push((*first, taken));
            left -= taken;
        }
        Self { runs }
    }
}

impl Extend<u32> for Numbers {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, numbers: I) {
        numbers.into_iter().for_each(|number| self.push(number));
    }
}

impl FromIterator<u32> for Numbers {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut all = Self::default();
        all.extend(numbers);
        all
    }
}

/// What a model was sent: the whole history, however much of it its producer told.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shown {
    /// The chain digest that the request extends; missing where it was told whole.
    pub prefix: Option<Digest>,
    /// The chain digest of the whole history.
    pub chain: Option<Digest>,
    /// The items, oldest first. Where older ones are not known, those after them.
    pub items: Numbers,
    /// How many of them this request told of by itself.
    pub told: u64,
    /// How many older ones it left out.
    pub omitted: Option<u64>,
    /// The system instructions.
    pub system: Measure,
    /// The tool definitions.
    pub tools: Option<Digest>,
    /// The digests of encrypted blobs among the items told of.
    pub blobs: Vec<Digest>,
}

/// What a model answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answer {
    /// The items, in order.
    pub items: Numbers,
    /// The digests of encrypted blobs among them.
    pub blobs: Vec<Digest>,
}
