//! A spool of any bytes at all: the function that the target `spool` of `fuzz` drives too, on parts that look like records.

use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Span};
use proptest::prelude::*;
use prost::Message;
use veilspan::export::untrusted;

/// What a call's record begins with, and its span.
fn told(id: u128, name: &str) -> Vec<u8> {
    let span = Span {
        trace_id: vec![1; 16],
        span_id: (id as u64 + 1).to_be_bytes().to_vec(),
        name: name.to_owned(),
        start_time_unix_nano: 5,
        end_time_unix_nano: 5,
        ..Span::default()
    };
    let field = ScopeSpans { spans: vec![span], ..ScopeSpans::default() }.encode_to_vec();
    [&id.to_le_bytes()[..], &9u64.to_le_bytes(), &field].concat()
}

/// A portion of what is fuzzed.
fn portion(kind: u8, part: &[u8]) -> Vec<u8> {
    [&[kind], &u16::try_from(part.len()).unwrap().to_be_bytes()[..], part].concat()
}

const OPENED: u8 = 2;
const CLOSED: u8 = 3;
const NEW_SEGMENT: u8 = 5;

#[test]
fn what_is_fuzzed_is_what_a_dead_process_leaves() {
    let parts = [(OPENED, 1), (OPENED, 2), (CLOSED, 1), (OPENED, 3), (CLOSED, 3)].map(|(kind, id)| {
        let name = if kind == CLOSED { "finished" } else { "abandoned" };
        portion(kind, &told(id, name))
    });
    let reading = untrusted::read(&parts.concat()).unwrap();
    let names: Vec<_> =
        reading.spans.iter().map(|field| ScopeSpans::decode(&**field).unwrap().spans[0].name.clone()).collect();
    assert_eq!(names, ["finished", "finished", "abandoned"]);
    assert_eq!((reading.abandoned, reading.unknown, reading.damaged, reading.left), (1, 0, 0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    /// Whatever lies in a spool, it is read to its end, only what any receiver reads is sent, and nothing waits for ever.
    #[test]
    fn no_bytes_in_a_spool_are_too_much(
        parts in prop::collection::vec(
            prop_oneof![
                (0..8u8, prop::collection::vec(any::<u8>(), 0..80)),
                (OPENED..=CLOSED, (0..6u128).prop_map(|id| told(id, "a"))),
                Just((NEW_SEGMENT, Vec::new())),
            ],
            0..40,
        ),
        cut in prop::option::of(0..4000usize),
        flip in prop::option::of((0..4000usize, 1..=255u8)),
    ) {
        let mut bytes: Vec<u8> = parts.iter().flat_map(|(kind, part)| portion(*kind, part)).collect();
        if let Some((place, flip)) = flip.filter(|(place, _)| *place < bytes.len()) {
            bytes[place] ^= flip;
        }
        bytes.truncate(cut.unwrap_or(usize::MAX));
        let reading = untrusted::read(&bytes).unwrap();
        prop_assert_eq!(reading.left, 0);
        for field in &reading.spans {
            let scope = ScopeSpans::decode(&**field).unwrap();
            prop_assert_eq!(scope.spans.len(), 1);
        }
        let sent: usize = reading.spans.iter().map(Vec::len).sum();
        prop_assert!(sent <= bytes.len(), "nothing is told twice: {} of {}", sent, bytes.len());
    }
}
