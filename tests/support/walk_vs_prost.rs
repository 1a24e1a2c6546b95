//! The walker beside prost, on any bytes.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use veilspan::otlp::assemble::{Patches, patched};
use veilspan::otlp::{Form, Look, Request};

/// What prost takes the walker takes, with the same spans; what prost refuses the walker refuses, or it refuses a part of
/// it, and what is left prost takes. What nobody touches keeps its bytes.
pub fn agree(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    let meant = ExportTraceServiceRequest::decode(bytes.clone());
    let Ok(read) = Request::parse(bytes.clone(), Look::Inside) else {
        assert!(meant.is_err(), "only prost takes it");
        return;
    };
    assert_eq!(patched(&read, &Patches::default()).into_bytes(), bytes);
    let resources = read.resources().map(|resource| resource.form());
    let scopes = read.resources().flat_map(|resource| resource.scopes()).map(|scope| scope.form());
    let spans = read.spans().map(|span| span.form());
    let has_malformed = resources.chain(scopes).chain(spans).any(|form| form == Form::Malformed);
    match meant {
        Ok(meant) => {
            assert!(!has_malformed, "only prost takes a part of it");
            let scopes = meant.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
            let meant: Vec<&Span> = scopes.flat_map(|scope| &scope.spans).collect();
            assert_eq!(read.span_count(), meant.len());
            for (span, meant) in read.spans().zip(meant) {
                assert!(Span::decode(span.bytes()).is_ok_and(|span| span == *meant), "another span");
                let view = span.view().unwrap();
                assert_eq!((view.name(), view.trace_state()), (&*meant.name, &*meant.trace_state));
                assert_eq!((view.flags(), view.kind()), (meant.flags, meant.kind));
                // Of a value that stands in several parts prost makes one; nobody writes it so.
                if span.form() == Form::Canonical {
                    assert_eq!(view.attributes().count(), meant.attributes.len());
                    assert_eq!(Span::decode(&*meant.encode_to_vec()).unwrap(), *meant);
                }
            }
        }
        Err(_) => assert!(has_malformed, "only the walker takes it"),
    }
    let (patches, _) = Patches::without_malformed(&read);
    let left = patched(&read, &patches).into_bytes();
    assert!(ExportTraceServiceRequest::decode(left).is_ok(), "what is left is none");
}
