//! Spans that were written a moment ago and nobody has read: they are sent from memory, and the disk is read for those alone
//! that have waited for long.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::export::limits::Limits;

/// As many batches are held at the most: as many as may be on their way at a time.
const BATCHES: usize = 4;

/// Spans in the order in which they are in the log, cut as requests will be.
#[derive(Debug, Default)]
pub(super) struct Recent {
    batch_spans: usize,
    batch_bytes: usize,
    most: usize,
    lots: VecDeque<Lot>,
    spans: u64,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Lot {
    spans: BytesMut,
    indices: Vec<u64>,
    /// So many of them, and bytes, count in the log.
    counted: (usize, usize),
}

impl Recent {
    /// One that holds what may be on its way at a time. The default one holds nothing.
    pub(super) fn new(limits: &Limits) -> Self {
        let Limits { batch_spans, batch_bytes, queue_bytes, .. } = *limits;
        let most = batch_bytes.saturating_mul(BATCHES).min(queue_bytes);
        Self { batch_spans, batch_bytes, most, ..Self::default() }
    }

    /// How many spans are held.
    pub(super) const fn spans(&self) -> u64 {
        self.spans
    }

    /// Holds a span, where there is room for it.
    pub(super) fn add(&mut self, index: u64, field: &[u8]) {
        if self.bytes.saturating_add(field.len()) > self.most {
            return;
        }
        let is_full = |lot: &Lot| {
            lot.indices.len() >= self.batch_spans || lot.spans.len().saturating_add(field.len()) > self.batch_bytes
        };
        if self.lots.back().is_none_or(is_full) {
            // About as long as the one before, so that it need not grow step by step.
            let (bytes, spans) = self.lots.back().map_or((0, 0), |lot| (lot.spans.len(), lot.indices.len()));
            let lot =
                Lot { spans: BytesMut::with_capacity(bytes), indices: Vec::with_capacity(spans), ..Lot::default() };
            self.lots.push_back(lot);
        }
        if let Some(lot) = self.lots.back_mut() {
            lot.spans.extend_from_slice(field);
            lot.indices.push(index);
            self.spans += 1;
            self.bytes += field.len();
        }
    }

    /// All that is held counts now.
    pub(super) fn count(&mut self) {
        let is_new = |lot: &&mut Lot| lot.counted.0 < lot.indices.len();
        for lot in self.lots.iter_mut().rev().take_while(is_new) {
            lot.counted = (lot.indices.len(), lot.spans.len());
        }
    }

    /// The oldest that count, as many as go into one request.
    pub(super) fn take(&mut self) -> Option<(Bytes, Vec<u64>)> {
        let lot = self.lots.front_mut().filter(|lot| lot.counted.0 > 0)?;
        let (spans, bytes) = std::mem::take(&mut lot.counted);
        let later = lot.indices.split_off(spans.min(lot.indices.len()));
        let indices = std::mem::replace(&mut lot.indices, later);
        let fields = lot.spans.split_to(bytes.min(lot.spans.len())).freeze();
        if lot.indices.is_empty() {
            self.lots.pop_front();
        }
        self.spans -= indices.len() as u64;
        self.bytes -= fields.len();
        Some((fields, indices))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn recent(batch_spans: usize, batch_bytes: usize, queue_bytes: usize) -> Recent {
        let batch_delay = Duration::ZERO;
        Recent::new(&Limits { batch_spans, batch_bytes, batch_delay, queue_bytes, queue_spans: usize::MAX })
    }

    fn taken(recent: &mut Recent) -> Vec<(Vec<u8>, Vec<u64>)> {
        std::iter::from_fn(|| recent.take().map(|(fields, indices)| (fields.to_vec(), indices))).collect()
    }

    #[test]
    fn nothing_is_handed_out_before_it_counts_and_all_of_it_afterwards_in_order() {
        let mut recent = recent(3, 100, 1000);
        (0..4).for_each(|n| recent.add(n, &[n as u8]));
        assert_eq!(recent.take(), None);
        recent.count();
        recent.add(7, &[7]);
        assert_eq!(taken(&mut recent), [(vec![0, 1, 2], vec![0, 1, 2]), (vec![3], vec![3])]);
        recent.add(8, &[8, 8]);
        recent.count();
        assert_eq!((taken(&mut recent), recent.spans(), recent.bytes), (vec![(vec![7, 8, 8], vec![7, 8])], 0, 0));
    }

    #[test]
    fn no_more_is_held_than_may_be_on_its_way() {
        let mut recent = recent(100, 10, 25);
        (0..9).for_each(|n| recent.add(n, &[0; 6]));
        recent.count();
        assert_eq!(recent.spans(), 4);
        assert_eq!(taken(&mut recent).len(), 4, "each is a batch of its own");
        let mut nothing = Recent::default();
        nothing.add(0, &[1]);
        assert_eq!(nothing.spans(), 0);
    }
}
