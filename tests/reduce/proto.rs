//! The graph as protobuf says what `state.json` says.

use proptest::prelude::*;
use prost::Message;
use veilspan::event::{Event, Source, Veiled};
use veilspan::reduce::{Rollout, state_from_proto};

use super::events::*;
use super::records;

/// Compares both forms of a graph, there and back.
pub fn is_the_same(rollout: &Rollout) {
    let state = state_from_proto(&rollout.to_proto()).unwrap();
    assert_eq!(format!("{state:#}\n"), rollout.serialise());
}

proptest! {
    #[test]
    fn any_graph_comes_back_from_protobuf_as_it_was(all in prop::collection::vec(records::record(), 1..6)) {
        let events: Vec<Event<Veiled>> = all.into_iter().flat_map(|record| record.into_events(Source::Otlp)).collect();
        facts(&events).derive().iter().for_each(is_the_same);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = state_from_proto(&bytes);
    }

    #[test]
    fn a_graph_that_is_cut_off_is_refused_or_a_part(cut in 0usize..4000) {
        let bytes = facts(&all(&[turn("r", 1), inference("r", 2).chain(None, 3).answer(4)])).derive()[0].to_proto();
        let _ = state_from_proto(&bytes[..cut.min(bytes.len())]);
    }
}

/// As another program reads it, from the `.proto` file alone.
#[derive(Clone, PartialEq, Message)]
struct OtherRollout {
    #[prost(uint64, optional, tag = "1")]
    version: Option<u64>,
    #[prost(string, optional, tag = "3")]
    rollout: Option<String>,
    #[prost(message, repeated, tag = "12")]
    threads: Vec<OtherThread>,
}

#[derive(Clone, PartialEq, Message)]
struct OtherThread {
    #[prost(string, optional, tag = "1")]
    id: Option<String>,
    #[prost(message, repeated, tag = "6")]
    turns: Vec<OtherTurn>,
}

#[derive(Clone, PartialEq, Message)]
struct OtherTurn {
    #[prost(bool, optional, tag = "3")]
    reported: Option<bool>,
    #[prost(message, repeated, tag = "12")]
    segments: Vec<OtherSegment>,
}

#[derive(Clone, PartialEq, Message)]
struct OtherSegment {
    #[prost(int64, optional, tag = "2")]
    index: Option<i64>,
    #[prost(message, repeated, tag = "3")]
    inferences: Vec<OtherInference>,
}

#[derive(Clone, PartialEq, Message)]
struct OtherInference {
    #[prost(message, optional, tag = "1")]
    call: Option<OtherCall>,
}

#[derive(Clone, PartialEq, Message)]
struct OtherCall {
    #[prost(string, optional, tag = "8")]
    outcome: Option<String>,
    #[prost(map = "string, message", tag = "12")]
    attributes: std::collections::HashMap<String, OtherValue>,
}

#[derive(Clone, PartialEq, Message)]
struct OtherValue {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
    #[prost(int64, optional, tag = "2")]
    integer: Option<i64>,
}

#[test]
fn another_reader_of_the_proto_file_reads_the_same() {
    let rollout = reduce(&all(&[turn("r", 1), inference("r", 2).tokens(12, 3)]));
    let read = OtherRollout::decode(&*rollout.to_proto()).unwrap();
    assert_eq!((read.version, read.rollout.as_deref()), (Some(veilspan::reduce::STATE_VERSION), Some("r")));
    let thread = &read.threads[0];
    assert_eq!((thread.id.as_deref(), thread.turns[0].reported), (Some("th"), Some(true)));
    let segment = &thread.turns[0].segments[0];
    let call = segment.inferences[0].call.as_ref().unwrap();
    assert_eq!((segment.index, call.outcome.as_deref()), (Some(0), Some("completed")));
    assert_eq!(call.attributes["gen_ai.usage.input_tokens"].integer, Some(12));
    assert_eq!(call.attributes["gen_ai.request.model"].text.as_deref(), Some("gpt-x"));
}
