//! Runs the rules over a text and over what is encoded in it: JSON escapes, percent-encoding, base64, in each other.
//!
//! A hit inside escapes is masked where it stands; a run of base64 with a hit inside is masked whole. What is nested deeper
//! than eight levels, or costs more to decode than three times the text and a quarter of a megabyte, is masked unseen, under
//! the rule `nested`: what is said is hardly ever quoted more often, and what is made to be costs no more.

use std::ops::Range;

use super::encoded;
use super::engine::{Finds, Set, Span};
use super::view::{self, View};

/// Levels of encodings in each other.
const DEPTH: usize = 8;

/// Decoded bytes for each byte of the text, and for any text.
const BUDGET_FACTOR: usize = 3;
const BUDGET_BASE: usize = 256 << 10;

/// Adds what the rules find in a text and in what is encoded in it.
pub(super) fn search(set: &Set, text: &[u8], finds: &mut Finds) {
    let mut search = Search { set, budget: text.len().saturating_mul(BUDGET_FACTOR).saturating_add(BUDGET_BASE) };
    search.level(text, None, 0, finds);
}

struct Search<'s> {
    set: &'s Set,
    /// Bytes that may still be decoded.
    budget: usize,
}

impl Search<'_> {
    fn level(&mut self, text: &[u8], view: Option<&View>, depth: usize, finds: &mut Finds) {
        self.set.plain(text, finds);
        if finds.is_done() {
            return;
        }
        view::each_escaped(text, |stretch| {
            self.escaped(text, stretch, depth, finds);
            !finds.is_done()
        });
        if finds.is_done() {
            return;
        }
        encoded::each_run(text, |run| {
            // What the level above has seen as it is need not be decoded again.
            if view.is_none_or(|view| view.changes(&run)) {
                self.run(text, run, depth, finds);
            }
            !finds.is_done()
        });
    }

    fn escaped(&mut self, text: &[u8], stretch: Range<usize>, depth: usize, finds: &mut Finds) {
        if stretch.len() > View::LONGEST || !self.pays(stretch.len(), depth) {
            return finds.add(stretch, self.set.nested());
        }
        let Some(view) = View::of(text, stretch) else { return };
        let mut inner = Finds::new(finds.only_whether);
        self.level(&view.bytes, Some(&view), depth + 1, &mut inner);
        for span in inner.spans {
            finds.add(view.source(span.start..span.end), span.rule);
        }
    }

    fn run(&mut self, text: &[u8], run: Range<usize>, depth: usize, finds: &mut Finds) {
        self.set.run(text, &run, finds);
        let Some(encoded::Run { range, decoded }) = encoded::decoded(text, run) else { return };
        if !self.pays(decoded.len(), depth) {
            return finds.add(range, self.set.nested());
        }
        let mut inner = Finds::new(finds.only_whether);
        self.level(&decoded, None, depth + 1, &mut inner);
        if let Some(rule) = inner.spans.iter().map(|span: &Span| span.rule).min() {
            finds.add(range, rule);
        }
    }

    /// Whether there is something left for decoding so many bytes one level deeper.
    fn pays(&mut self, bytes: usize, depth: usize) -> bool {
        let left = self.budget.checked_sub(bytes);
        self.budget = left.unwrap_or(self.budget);
        left.is_some() && depth < DEPTH
    }
}
