//! Anything at all, in any bytes.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message;
use veilspan::otlp::assemble::patched;
use veilspan::otlp::{Look, Request};
use veilspan::processor::privacy::Privacy;
use veilspan::semconv::table;

use super::build::{attribute, every_policy, int, keyed, veiled};
use super::canaries::{CORE, assert_no_leak};
use super::deep::{Kind, rewrite};
use crate::support::requests::{disguise, request};

/// Puts a canary into every text and all bytes, and a GenAI key into every span.
fn taint(request: &mut ExportTraceServiceRequest, names: &[Index]) {
    let mut names = names.iter().map(|index| index.get(table()).key).cycle();
    for resource_spans in &mut request.resource_spans {
        soil(&mut resource_spans.schema_url);
        if let Some(resource) = &mut resource_spans.resource {
            attributes(&mut resource.attributes);
            for entity in &mut resource.entity_refs {
                let keys = entity.id_keys.iter_mut().chain(&mut entity.description_keys);
                keys.chain([&mut entity.schema_url, &mut entity.r#type]).for_each(soil);
            }
        }
        for scope_spans in &mut resource_spans.scope_spans {
            soil(&mut scope_spans.schema_url);
            if let Some(scope) = &mut scope_spans.scope {
                [&mut scope.name, &mut scope.version].into_iter().for_each(soil);
                attributes(&mut scope.attributes);
            }
            for span in &mut scope_spans.spans {
                [&mut span.name, &mut span.trace_state].into_iter().for_each(soil);
                attributes(&mut span.attributes);
                // The same values, under names that mean something.
                let values: Vec<_> = span.attributes.iter().filter_map(|pair| pair.value.clone()).collect();
                span.attributes.extend(values.into_iter().zip(&mut names).map(|(value, name)| attribute(name, value)));
                span.attributes.push(attribute("gen_ai.x", int(1)));
                for event in &mut span.events {
                    soil(&mut event.name);
                    attributes(&mut event.attributes);
                }
                for link in &mut span.links {
                    soil(&mut link.trace_state);
                    attributes(&mut link.attributes);
                }
                span.status.iter_mut().for_each(|status| soil(&mut status.message));
            }
        }
        // A resource without GenAI spans would keep what it has.
        resource_spans.scope_spans.iter_mut().take(1).for_each(|scope_spans| {
            scope_spans.spans.push(super::build::span([attribute("gen_ai.x", int(1))]));
        });
    }
    request.resource_spans.retain(|resource_spans| !resource_spans.scope_spans.is_empty());
}

fn soil(text: &mut String) {
    text.push_str(CORE);
}

fn attributes(pairs: &mut [KeyValue]) {
    for pair in pairs {
        soil(&mut pair.key);
        pair.value.iter_mut().for_each(value);
    }
}

fn value(any: &mut AnyValue) {
    match &mut any.value {
        Some(Value::StringValue(text)) => soil(text),
        Some(Value::BytesValue(bytes)) => bytes.extend_from_slice(CORE.as_bytes()),
        Some(Value::ArrayValue(array)) => array.values.iter_mut().for_each(value),
        Some(Value::KvlistValue(map)) => attributes(&mut map.values),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_span_leaks(mut request in request(), names in vec(any::<Index>(), 1..8), disguise in disguise()) {
        taint(&mut request, &names);
        let bytes = request.encode_to_vec();
        assert_no_leak(&bytes);
        let disguised = rewrite(Kind::Request, &bytes, &mut |_, message| disguise.apply(&message));
        assert_no_leak(&disguised);
    }

    #[test]
    fn an_untainted_request_leaves_whole(request in request()) {
        let bytes = request.encode_to_vec();
        for policy in every_policy() {
            let veiled = ExportTraceServiceRequest::decode(veiled(&policy, &bytes)).unwrap();
            let count = |request: &ExportTraceServiceRequest| {
                let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
                scopes.map(|scope| scope.spans.len()).sum::<usize>()
            };
            prop_assert_eq!(count(&veiled), count(&request));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(
        mut request in request(),
        names in vec(any::<Index>(), 1..8),
        edits in vec((any::<Index>(), any::<u8>()), 1..12),
        garbage in vec(any::<u8>(), 0..200),
    ) {
        taint(&mut request, &names);
        let mut bytes = request.encode_to_vec();
        for (place, byte) in edits {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
        }
        for bytes in [bytes, garbage] {
            for look in [Look::Inside, Look::Outside] {
                if let Ok(request) = Request::parse(bytes.clone().into(), look) {
                    let patches = Privacy::new(keyed()).request(&request);
                    patched(&request, &patches);
                }
            }
        }
    }
}
