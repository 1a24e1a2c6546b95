//! Runs the rules over one text as it stands.

use std::collections::BTreeMap;
use std::ops::Range;

use bytestring::ByteString;

use super::grams::{Grams, Wanted};
use super::hit::Hit;
use super::nested;
use super::rule::{Rule, Trigger, WINDOW};
use super::trigger;
use super::user::UserRule;

/// Rules that are switched on, and what finds the places to try them at.
pub(super) struct Set {
    rules: Vec<Rule>,
    pub(super) user: Vec<UserRule>,
    pub(super) grams: Grams,
    at: Vec<u16>,
    digits: Vec<u16>,
    runs: Vec<u16>,
    /// Beginnings of keys that are runs, by their first byte.
    pub(super) prefixes: BTreeMap<u8, Vec<(&'static [u8], u16)>>,
    /// Whether a byte is the first of any.
    pub(super) begins: [bool; 256],
}

/// The name under which stands what nobody looked into.
static NESTED: ByteString = ByteString::from_static("nested");

/// A stretch that a rule found, as the rule's number: a lower number is more specific.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) rule: u16,
}

/// What the rules found in one text, and how far each rule has seen it.
pub(super) struct Finds {
    pub(super) spans: Vec<Span>,
    /// Ends the search at the first.
    pub(super) only_whether: bool,
    /// Where the last long hit ends: what begins in it is masked with it, and looked at no more.
    covered: Range<usize>,
}

impl Finds {
    pub(super) fn new(only_whether: bool) -> Self {
        Self { spans: Vec::new(), only_whether, covered: 0..0 }
    }

    pub(super) fn add(&mut self, range: Range<usize>, rule: u16) {
        if !range.is_empty() {
            self.spans.push(Span { start: range.start, end: range.end, rule });
        }
    }

    /// Whether nothing more needs to be found.
    pub(super) fn is_done(&self) -> bool {
        self.only_whether && !self.spans.is_empty()
    }
}

impl Set {
    pub(super) fn new(rules: Vec<Rule>, user: Vec<UserRule>) -> Self {
        let numbered = || rules.iter().zip(0_u16..);
        let wanted = numbered().flat_map(|(rule, id)| {
            let (words, exact): (&[&str], _) = match rule.trigger {
                Trigger::Exact(words) | Trigger::Inside(words, _) => (words, true),
                Trigger::Word(words) => (words, false),
                Trigger::At | Trigger::Digits | Trigger::Run(_) => (&[], true),
            };
            words.iter().map(move |word| Wanted { word, exact, id })
        });
        let words = |rule: &'_ UserRule| !rule.keywords.is_empty();
        let theirs = user.iter().zip(rules.len()..).filter(|(rule, _)| words(rule)).flat_map(|(rule, id)| {
            let id = u16::try_from(id).unwrap_or(u16::MAX);
            rule.keywords.iter().map(move |word| Wanted { word, exact: false, id })
        });
        let grams = Grams::new(wanted.chain(theirs));
        let with = |trigger: fn(&Trigger) -> bool| {
            numbered().filter(|(rule, _)| trigger(&rule.trigger)).map(|(_, id)| id).collect()
        };
        let at = with(|trigger| matches!(trigger, Trigger::At));
        let digits = with(|trigger| matches!(trigger, Trigger::Digits));
        let runs = with(|trigger| matches!(trigger, Trigger::Run([])));
        let mut prefixes: BTreeMap<u8, Vec<(&[u8], u16)>> = BTreeMap::new();
        for (rule, id) in numbered() {
            let Trigger::Run(words) = rule.trigger else { continue };
            for word in words.iter().map(|word| word.as_bytes()) {
                prefixes.entry(word.first().copied().unwrap_or_default()).or_default().push((word, id));
            }
        }
        let mut begins = [false; 256];
        for first in prefixes.keys() {
            if let Some(begins) = begins.get_mut(usize::from(*first)) {
                *begins = true;
            }
        }
        Self { rules, user, grams, at, digits, runs, prefixes, begins }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &ByteString> {
        self.rules.iter().map(|rule| &rule.name).chain(self.user.iter().map(|rule| &rule.name))
    }

    pub(super) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.pattern)
    }

    pub(super) fn name(&self, rule: u16) -> Option<&ByteString> {
        if rule == self.nested() { Some(&NESTED) } else { self.names().nth(usize::from(rule)) }
    }

    /// The number of what stands for a stretch that nobody looked into.
    pub(super) fn nested(&self) -> u16 {
        u16::try_from(self.rules.len() + self.user.len()).unwrap_or(u16::MAX)
    }

    /// Tries the rules of keys that are a run of base64 and what follows it.
    pub(super) fn run(&self, text: &[u8], run: &Range<usize>, finds: &mut Finds) {
        if trigger::may_begin_run(text, run.start) {
            self.try_all(&self.runs, text, run.start, finds);
        }
        let mut last = b' ';
        for (at, byte) in (run.start..).zip(text.get(run.clone()).unwrap_or_default()) {
            let is_apart = !last.is_ascii_alphanumeric();
            last = *byte;
            if !is_apart || !self.begins.get(usize::from(*byte)).copied().unwrap_or_default() {
                continue;
            }
            let Some(prefixes) = self.prefixes.get(byte) else { continue };
            for (prefix, id) in prefixes {
                if text.get(at..).is_some_and(|rest| rest.starts_with(prefix)) && !self.try_at(*id, text, at, finds) {
                    return;
                }
            }
        }
    }

    pub(super) fn any(&self, text: &str) -> bool {
        !self.is_surely_clean(text.as_bytes()) && self.any_at_length(text)
    }

    /// The same by a search of all of it.
    pub(super) fn any_at_length(&self, text: &str) -> bool {
        let mut finds = Finds::new(true);
        nested::search(self, text.as_bytes(), &mut finds);
        finds.is_done()
    }

    pub(super) fn find(&self, text: &str) -> Vec<Hit> {
        let mut finds = Finds::new(false);
        nested::search(self, text.as_bytes(), &mut finds);
        let spans = merged(finds.spans, text);
        let hit = |span: Span| Some(Hit { rule: self.name(span.rule)?.clone(), range: span.start..span.end });
        spans.into_iter().filter_map(hit).collect()
    }

    /// Adds what the rules find in `text` as it stands.
    pub(super) fn plain(&self, text: &[u8], finds: &mut Finds) {
        let mut present = [0_u64; 4];
        self.grams.each(text, |id, start| {
            let Some(rule) = self.rules.get(usize::from(id)) else {
                let number = usize::from(id) - self.rules.len();
                if let Some(word) = present.get_mut(number / 64) {
                    *word |= 1 << (number % 64);
                }
                return true;
            };
            match rule.trigger {
                Trigger::Inside(_, back) => self.try_at(id, text, back_over_token(text, start, back), finds),
                _ => self.try_at(id, text, start, finds),
            }
        });
        if !self.at.is_empty() && !finds.is_done() {
            trigger::each_at(text, |at| self.try_all(&self.at, text, back_over_name(text, at), finds));
        }
        if !self.digits.is_empty() && !finds.is_done() {
            trigger::each_dense(text, |stretch| self.dense(text, stretch, finds));
        }
        for (number, (rule, id)) in self.user.iter().zip(self.rules.len()..).enumerate() {
            let is_there = present.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1);
            if (is_there || rule.keywords.is_empty()) && !finds.is_done() {
                let id = u16::try_from(id).unwrap_or(u16::MAX);
                rule.each(text, |range| {
                    finds.add(range, id);
                    !finds.is_done()
                });
            }
        }
    }

    /// Tries the rules of numbers at each place of a stretch where a number may begin.
    fn dense(&self, text: &[u8], stretch: Range<usize>, finds: &mut Finds) -> bool {
        let Some(bytes) = text.get(stretch.clone()) else { return true };
        let before = stretch.start.checked_sub(1).and_then(|before| text.get(before)).copied();
        let mut last = before.unwrap_or(b' ');
        for (offset, byte) in bytes.iter().copied().enumerate() {
            let begins = match byte {
                b'+' | b'(' => true,
                b'0'..=b'9' | b'A'..=b'Z' => !last.is_ascii_alphanumeric(),
                _ => false,
            };
            last = byte;
            let start = stretch.start + offset;
            let is_promising = begins && trigger::may_begin_number(text.get(start..).unwrap_or_default());
            if is_promising && !self.try_all(&self.digits, text, start, finds) {
                return false;
            }
        }
        true
    }

    fn try_all(&self, rules: &[u16], text: &[u8], start: usize, finds: &mut Finds) -> bool {
        rules.iter().all(|id| self.try_at(*id, text, start, finds))
    }

    /// Answers whether to go on.
    fn try_at(&self, id: u16, text: &[u8], start: usize, finds: &mut Finds) -> bool {
        if finds.covered.contains(&start) {
            return true;
        }
        let found = self.rules.get(usize::from(id)).and_then(|rule| rule.at(text, start));
        if let Some(range) = found {
            if range.end > start + WINDOW && range.end > finds.covered.end {
                finds.covered = range.clone();
            }
            finds.add(range, id);
        }
        !finds.is_done()
    }
}

/// Where the token that `at` stands in begins, at most `most` bytes before.
fn back_over_token(text: &[u8], at: usize, most: usize) -> usize {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-~.".contains(byte);
    let before = text.get(at.saturating_sub(most)..at).unwrap_or_default();
    at - before.iter().rev().take_while(|byte| is_token(byte)).count()
}

/// Where the name before an `@` begins: ASCII, and letters of two bytes, which are Latin, Greek and Cyrillic ones. Scripts
/// that put no blanks between words have longer ones: they are a name where one stands right before the `@`.
fn back_over_name(text: &[u8], at: usize) -> usize {
    const MOST: usize = 64;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._%+-'".contains(&byte);
    let without_blanks = matches!(text.get(..at), Some([.., 0xe3..=0xed, 0x80..=0xbf, 0x80..=0xbf]));
    let mut start = at;
    while at - start < MOST {
        start -= match text.get(..start).unwrap_or_default() {
            [.., 0xe3..=0xed, 0x80..=0xbf, 0x80..=0xbf] if without_blanks => 3,
            [.., 0xc3..=0xd4, 0x80..=0xbf] => 2,
            [.., byte] if is_name(*byte) => 1,
            _ => break,
        };
    }
    start
}

/// Spans from left to right: those that overlap as one, under the most specific rule's number, on boundaries of characters.
pub(super) fn merged(mut spans: Vec<Span>, text: &str) -> Vec<Span> {
    for span in &mut spans {
        while !text.is_char_boundary(span.start) {
            span.start -= 1;
        }
        while !text.is_char_boundary(span.end) {
            span.end += 1;
        }
    }
    spans.sort_unstable_by_key(|span| (span.start, span.rule));
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start < last.end => {
                last.end = last.end.max(span.end);
                last.rule = last.rule.min(span.rule);
            }
            _ => merged.push(span),
        }
    }
    merged
}
