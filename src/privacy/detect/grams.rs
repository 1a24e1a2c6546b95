//! Where keywords may stand: one pass over the text, four bytes at a time.
//!
//! An automaton of all keywords (Aho and Corasick's) reads a byte, waits for its next state, reads the next: the wait decides
//! its speed. Here each place is judged by itself: its four bytes are hashed into a table that holds one gram of each
//! keyword, the one that ordinary text has least. Places do not wait for each other, so several are judged at once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Slots of the table: few enough to stay in a near cache, enough that one place in fifty is looked at in vain.
const SLOTS: usize = 1 << 16;
/// A slot is a byte, and 0 stands for nothing.
const BUCKETS: usize = 255;
const SHIFT: u32 = 32 - SLOTS.trailing_zeros();

/// Folds letters' case, and bytes that are no letters onto others: what a slot says is only that a word may stand there.
const FOLD: u32 = 0x2020_2020;

/// The first three of four bytes.
const THREE: u32 = 0x00ff_ffff;

/// What may follow a keyword of three bytes, folded.
const FOLLOWERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-\x7f \"'=:{[$<%#";

/// Grams that ordinary text and code are full of.
const COMMON: &[&[u8; 4]] = &[
    b"able", b"ance", b"ated", b"atch", b"atio", b"ault", b"byte", b"call", b"cell", b"cess", b"code", b"comm",
    b"comp", b"conf", b"conn", b"cont", b"crat", b"data", b"ding", b"elf.", b"elf,", b"elf:", b"ence", b"ent-",
    b"ent.", b"erro", b"esso", b"ever", b"file", b"form", b"from", b"func", b"have", b"here", b"http", b"ient",
    b"ight", b"ind:", b"indo", b"inte", b"ions", b"lete", b"like", b"list", b"lout", b"mark", b"ment", b"name",
    b"ngth", b"oken", b"ollo", b"only", b"orma", b"otlp", b"ough", b"ould", b"ound", b"over", b"plac", b"port",
    b"pres", b"priv", b"requ", b"rese", b"ress", b"ring", b"rvic", b"self", b"serv", b"sert", b"sion", b"some",
    b"spon", b"stri", b"ters", b"text", b"than", b"that", b"them", b"ther", b"this", b"time", b"ting", b"tion",
    b"tips", b"true", b"turn", b"type", b"uild", b"user", b"valu", b"very", b"when", b"with", b"word", b"com.",
    b".com", b"ttps", b"tps:", b"ing ", b"its ", b" be ", b"all ", b"and ", b"the ", b" the",
];

/// A keyword that the grams lead to.
#[derive(Clone, Debug)]
struct Keyword {
    bytes: Vec<u8>,
    /// Where in the keyword the gram stands that leads here.
    offset: usize,
    /// Its first three bytes, folded: a keyword of three bytes has no more.
    gram: u32,
    exact: bool,
    /// What the keyword stands for, to whoever asked for it.
    id: u16,
}

/// All keywords, findable in one pass.
pub(super) struct Grams {
    /// For each slot a bucket's number, 0 for none.
    slots: Box<[u8; SLOTS]>,
    /// For each bucket the range of its keywords.
    buckets: Vec<Range<usize>>,
    keywords: Vec<Keyword>,
}

/// A keyword to find.
pub(super) struct Wanted<'a> {
    pub(super) word: &'a str,
    /// Whether its case matters.
    pub(super) exact: bool,
    pub(super) id: u16,
}

impl Grams {
    /// Keywords of fewer than three bytes are not findable, and left out.
    pub(super) fn new<'a>(wanted: impl IntoIterator<Item = Wanted<'a>>) -> Self {
        let mut by_slot: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut known = Vec::new();
        for Wanted { word, exact, id } in wanted {
            let Some((offset, grams)) = rarest(word.as_bytes()) else { continue };
            let first = grams.first().copied().unwrap_or_default();
            for gram in grams {
                by_slot.entry(index(gram)).or_default().push(known.len());
            }
            let gram = first & THREE;
            known.push(Keyword { bytes: word.as_bytes().to_vec(), offset, gram, exact, id });
        }
        // Slots with the same keywords share a bucket; where a byte cannot tell all buckets apart, some are joined.
        let mut numbers: BTreeMap<Vec<usize>, u8> = BTreeMap::new();
        let mut members: Vec<BTreeSet<usize>> = Vec::new();
        let mut slots = Box::new([0; SLOTS]);
        for (slot, list) in by_slot {
            let next = u8::try_from(numbers.len() % BUCKETS).unwrap_or_default();
            let number = *numbers.entry(list.clone()).or_insert(next);
            members.resize_with(members.len().max(usize::from(number) + 1), BTreeSet::new);
            if let (Some(slot), Some(bucket)) = (slots.get_mut(slot), members.get_mut(usize::from(number))) {
                *slot = number + 1;
                bucket.extend(list);
            }
        }
        let mut keywords = Vec::new();
        let mut buckets = Vec::new();
        for bucket in members {
            let first = keywords.len();
            keywords.extend(bucket.into_iter().filter_map(|keyword| known.get(keyword).cloned()));
            buckets.push(first..keywords.len());
        }
        Self { slots, buckets, keywords }
    }

    /// Calls `found` with each keyword's id and place, until it answers false. Places rise by less than a keyword's length.
    pub(super) fn each(&self, text: &[u8], mut found: impl FnMut(u16, usize) -> bool) {
        let mut at = 0;
        while let Some((ahead, hits)) = first_hit(&self.slots, text.get(at..).unwrap_or_default()) {
            at += ahead;
            for (offset, bucket) in hits.into_iter().enumerate() {
                if bucket != 0 && !self.confirm(text, at + offset, bucket, &mut found) {
                    return;
                }
            }
            at += 4;
        }
        // Of the last seven bytes those places that have four.
        let last = at + (text.len() - at) / 4 * 4;
        let from = last.saturating_sub(4).max(at);
        for (offset, gram) in text.get(from..).unwrap_or_default().windows(4).enumerate() {
            let bucket = slot_of(&self.slots, word(gram));
            if bucket != 0 && !self.confirm(text, from + offset, bucket, &mut found) {
                return;
            }
        }
    }

    #[inline(never)]
    fn confirm(&self, text: &[u8], at: usize, bucket: u8, found: &mut impl FnMut(u16, usize) -> bool) -> bool {
        let keywords = self.buckets.get(usize::from(bucket) - 1).and_then(|range| self.keywords.get(range.clone()));
        let here = text.get(at..at + 4).map_or(0, word) & THREE;
        for keyword in keywords.unwrap_or_default() {
            if keyword.gram != here {
                continue;
            }
            let Some(start) = at.checked_sub(keyword.offset) else { continue };
            let Some(there) = text.get(start..start + keyword.bytes.len()) else { continue };
            let is_there =
                if keyword.exact { there == keyword.bytes } else { there.eq_ignore_ascii_case(&keyword.bytes) };
            if is_there && !found(keyword.id, start) {
                return false;
            }
        }
        true
    }
}

/// The first four places, in steps of four, of which one is in the table; each has three more bytes behind it. By itself,
/// so that nothing but the text goes through the processor.
#[inline(never)]
fn first_hit(slots: &[u8; SLOTS], text: &[u8]) -> Option<(usize, [u8; 4])> {
    let mut chunks = text.chunks_exact(4);
    let mut low = word(chunks.next()?);
    for (number, chunk) in chunks.enumerate() {
        let high = word(chunk);
        let wide = u64::from(low) | u64::from(high) << 32;
        let hits = [0, 8, 16, 24].map(|shift| slot_of(slots, (wide >> shift) as u32));
        if u32::from_ne_bytes(hits) != 0 {
            return Some((number * 4, hits));
        }
        low = high;
    }
    None
}

fn word(bytes: &[u8]) -> u32 {
    let bytes: [u8; 4] = bytes.try_into().unwrap_or_default();
    u32::from_le_bytes(bytes) | FOLD
}

/// Of many multipliers that were tried the one by which ordinary text and code fall least often into a keyword's slot.
const SPREAD: u32 = 0x072c_41e9;

fn index(gram: u32) -> usize {
    (gram.wrapping_mul(SPREAD) >> SHIFT) as usize
}

fn slot_of(slots: &[u8; SLOTS], gram: u32) -> u8 {
    slots.get(index(gram)).copied().unwrap_or_default()
}

/// The gram of a keyword that text has least, as its offset; several grams where only what follows completes it.
fn rarest(keyword: &[u8]) -> Option<(usize, Vec<u32>)> {
    if let [a, b, c] = *keyword {
        return Some((0, FOLLOWERS.iter().map(|follower| word(&[a, b, c, *follower])).collect()));
    }
    let weighed = keyword.windows(4).enumerate().map(|(offset, gram)| (weight(gram), offset, word(gram)));
    weighed.min_by_key(|(weight, ..)| *weight).map(|(_, offset, gram)| (offset, vec![gram]))
}

/// How common four bytes are in text and code, roughly: a sum of hundredths of bits.
fn weight(gram: &[u8]) -> u32 {
    let folded: Vec<u8> = gram.iter().map(u8::to_ascii_lowercase).collect();
    if COMMON.iter().any(|common| common.as_slice() == folded) {
        return u32::MAX;
    }
    folded.iter().map(|byte| letter_weight(*byte)).sum()
}

fn letter_weight(byte: u8) -> u32 {
    // From the most frequent letter of English to the least.
    const ORDER: &[u8] = b"etaoinsrhldcumfpgwybvkxjqz";
    match ORDER.iter().position(|letter| *letter == byte) {
        Some(position) => 100 - 3 * position as u32,
        None if byte.is_ascii_digit() => 40,
        None if byte == b' ' => 110,
        None => 30,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &[(&str, bool)], text: &str) -> Vec<(u16, usize)> {
        let wanted = words.iter().enumerate();
        let grams = Grams::new(wanted.map(|(id, (word, exact))| Wanted { word, exact: *exact, id: id as u16 }));
        let mut found = Vec::new();
        grams.each(text.as_bytes(), |id, at| {
            found.push((id, at));
            true
        });
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn a_keyword_is_found_at_every_place_and_in_its_case_alone_where_that_matters() {
        let words = [("password", false), ("AKIA", true), ("sk-", true)];
        for lead in 0..9 {
            for trail in 0..9 {
                let text = format!("{}PassWord AKIA sk-a akia{}", "x".repeat(lead), "y".repeat(trail));
                assert_eq!(found(&words, &text), [(0, lead), (1, lead + 9), (2, lead + 14)], "{text}");
            }
        }
    }

    #[test]
    fn many_keywords_share_buckets_and_are_all_found() {
        let words: Vec<String> = (0..2000).map(|number| format!("k{:x}z", number * 7919)).collect();
        let wanted: Vec<_> = words.iter().map(|word| (word.as_str(), true)).collect();
        for (id, word) in words.iter().enumerate().step_by(17) {
            assert!(found(&wanted, &format!("  {word}  ")).contains(&(id as u16, 2)), "{word}");
        }
    }
}
