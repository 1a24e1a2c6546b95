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
