//! What back ends answer when they are asked for a trace, as an OTLP request.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde::Deserialize;

use crate::otlp::wire::{Fields, Wire};

/// The fields of Tempo's `TraceByIDResponse`, and the status that says that some of the trace could not be read.
const TRACE: u32 = 1;
const STATUS: u32 = 3;
const PARTIAL: u64 = 1;

/// A request, empty where there is no such trace, and whether the back end says that something is missing. Nothing for
/// what is no answer.
pub(super) type Read = Option<(Bytes, bool)>;

/// Of Jaeger's `/api/v3/traces/ID`: OTLP JSON in an envelope, perhaps in several parts.
pub(super) fn jaeger(body: &[u8]) -> Read {
    #[derive(Deserialize)]
    struct Envelope {
        result: ExportTraceServiceRequest,
    }
    let mut whole = ExportTraceServiceRequest::default();
    for part in serde_json::Deserializer::from_slice(body).into_iter::<Envelope>() {
        whole.resource_spans.extend(part.ok()?.result.resource_spans);
    }
    Some((whole.encode_to_vec().into(), false))
}

/// Of Tempo's `/api/v2/traces/ID`: a message around a trace, which is what an OTLP request is.
pub(super) fn tempo(body: &Bytes) -> Read {
    let (mut trace, mut is_partial) = (None, false);
    for field in Fields::new(body) {
        let field = field.ok()?;
        match (field.number, field.value) {
            (TRACE, Wire::Bytes(bytes)) => trace = Some(body.slice_ref(bytes)),
            (STATUS, Wire::Varint(status)) => is_partial = status == PARTIAL,
            _ => {}
        }
    }
    Some((trace.unwrap_or_default(), is_partial))
}

/// Of Tempo's `/api/traces/ID`: the trace alone.
pub(super) fn old_tempo(body: Bytes) -> Read {
    Some((body, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(read: Read) -> Option<(usize, bool)> {
        let (request, is_partial) = read?;
        let request = ExportTraceServiceRequest::decode(request).unwrap();
        let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
        Some((scopes.map(|scope| scope.spans.len()).sum(), is_partial))
    }

    #[test]
    fn jaegers_envelopes_are_read_in_one_part_or_several_and_nothing_else_is() {
        // As Jaeger 2 writes it: what has no value is left out, and numbers of 64 bits are texts.
        let envelope = r#"{"result":{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{"traceId":"00000000000000000000000000000001","spanId":"0000000000000002","name":"chat","kind":3,"startTimeUnixNano":"7","attributes":[{"key":"n","value":{"intValue":"5"}}],"status":{"code":2}}]}]}]}}"#;
        assert_eq!(spans(jaeger(envelope.as_bytes())), Some((1, false)));
        assert_eq!(spans(jaeger(format!("{envelope}\n{envelope}\n").as_bytes())), Some((2, false)));
        assert_eq!(spans(jaeger(br#"{"result":{"resourceSpans":[]}}"#)), Some((0, false)));
        for wrong in ["{", "[]", r#"{"data":[]}"#, r#"{"result":{"resourceSpans":[{"scopeSpans":7}]}}"#] {
            assert!(jaeger(wrong.as_bytes()).is_none(), "{wrong}");
        }
        assert!(jaeger(format!("{envelope}{{").as_bytes()).is_none(), "an answer that broke off is none");
    }

    #[test]
    fn tempos_message_holds_a_trace_and_says_whether_it_is_all() {
        let trace = ExportTraceServiceRequest { resource_spans: vec![Default::default(); 2] }.encode_to_vec();
        let message = |status: i32| {
            let mut message = Vec::new();
            prost::encoding::bytes::encode(TRACE, &trace, &mut message);
            prost::encoding::int32::encode(STATUS, &status, &mut message);
            Bytes::from(message)
        };
        assert_eq!(tempo(&message(0)), Some((trace.clone().into(), false)));
        assert_eq!(tempo(&message(1)), Some((trace.clone().into(), true)));
        assert_eq!(tempo(&Bytes::new()), Some((Bytes::new(), false)), "there is no such trace");
        assert_eq!(tempo(&Bytes::from_static(b"\xff\xff")), None);
    }
}
