//! Encoded spans that go into one request.

use std::sync::Arc;

use bytes::Bytes;

use super::envelope::Envelope;
use crate::otlp::wire::Fields;

/// Spans of one request: length-delimited `ScopeSpans.spans` fields, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(super) spans: Bytes,
    pub(super) count: u64,
    /// How often it has been sent and refused in a way that another try may help.
    pub(super) attempts: u32,
    pub(super) origin: Origin,
}

impl Batch {
    /// Whether this process has recorded it, and not one whose spool was taken over.
    pub(super) const fn is_own(&self) -> bool {
        matches!(self.origin, Origin::Memory { .. } | Origin::Log { log: 0, .. })
    }
}

/// Where spans wait until they are settled.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// In memory alone.
    Memory {
        /// The number of the first span, by which the others follow.
        first: u64,
    },
    /// In the log of a process life.
    #[cfg_attr(not(unix), allow(dead_code))]
    Log {
        /// Which log: 0 is our own.
        log: u64,
        /// The index of each span there.
        indices: Vec<u64>,
        envelope: Arc<Envelope>,
    },
}

impl Batch {
    /// Both halves of it, for a peer to whom it is too long as a whole. Nothing where it is one span.
    pub(super) fn halves(&self) -> Option<[Self; 2]> {
        if self.count < 2 {
            return None;
        }
        let first = self.count / 2;
        let mut fields = Fields::new(&self.spans);
        (0..first).try_for_each(|_| fields.next()?.ok().map(drop))?;
        let place = fields.position();
        let mut origins = [self.origin.clone(), self.origin.clone()];
        if let [_, Origin::Memory { first: number }] = &mut origins {
            *number += first;
        }
        if let Origin::Log { indices, .. } = &self.origin {
            let (left, right) = indices.split_at_checked(usize::try_from(first).ok()?)?;
            for (origin, part) in origins.iter_mut().zip([left, right]) {
                if let Origin::Log { indices, .. } = origin {
                    *indices = part.to_vec();
                }
            }
        }
        let [left, right] = origins;
        Some([
            Self { spans: self.spans.slice(..place), count: first, attempts: 0, origin: left },
            Self { spans: self.spans.slice(place..), count: self.count - first, attempts: 0, origin: right },
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::writer::put_bytes;

    #[test]
    fn a_batch_is_halved_between_two_spans_and_down_to_one() {
        let mut spans = Vec::new();
        (0..5u8).for_each(|n| put_bytes(&mut spans, 2, &vec![n; 300 * usize::from(n)]));
        let envelope = Arc::new(Envelope::Scoped { resource: Bytes::new(), scope: Bytes::new() });
        let origin = Origin::Log { log: 0, indices: (10..15).collect(), envelope };
        let mut waiting = vec![Batch { spans: spans.into(), count: 5, attempts: 3, origin }];
        let mut singles = Vec::new();
        while let Some(batch) = waiting.pop() {
            match batch.halves() {
                Some([left, right]) => waiting.extend([right, left]),
                None => singles.push(batch),
            }
        }
        for (n, single) in (0..5u8).zip(&singles) {
            let mut expected = Vec::new();
            put_bytes(&mut expected, 2, &vec![n; 300 * usize::from(n)]);
            assert_eq!((&single.spans[..], single.count, single.attempts), (&expected[..], 1, 0));
            assert!(matches!(&single.origin, Origin::Log { indices, .. } if *indices == [u64::from(n) + 10]));
        }
        assert_eq!(singles.len(), 5);
    }
}
