//! A policy that is swapped while clients send.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use veilspan::Policy;
use veilspan::collector::Processor;

use crate::build::*;

const CLIENTS: usize = 4;
const SWAPS: usize = 100;

/// Every second policy lets content leave.
fn policy_of(number: usize) -> Policy {
    let content = if number.is_multiple_of(2) { "none" } else { "masked" };
    Policy::builder().build_in(&[("VEILSPAN_CONTENT", content)].into_iter().collect()).0
}

fn shows(span: &Span) -> (bool, bool) {
    let text = |key: &str| {
        let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
        match found.value.as_ref()?.value.as_ref()? {
            Value::StringValue(text) => Some(text.clone()),
            _ => None,
        }
    };
    let says_so = text("veilspan.policy").expect("a policy").starts_with("content=masked;");
    (text("gen_ai.tool.call.result").is_some(), says_so)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_that_is_sent_between_two_swaps_leaves_under_the_first_and_every_one_leaves_under_one_policy() {
    let (stage, capture) = capturing(&[Processor::Privacy]);
    stage.set_policy(&policy_of(0));
    // Odd while one policy takes the place of another.
    let swapped = Arc::new(AtomicUsize::new(0));
    let url = format!("http://{}", stage.address());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (url, swapped) = (url.clone(), Arc::clone(&swapped));
            tokio::spawn(async move {
                let mut service = TraceServiceClient::connect(url).await.unwrap();
                let mut known = HashMap::new();
                for number in 0.. {
                    let before = swapped.load(Ordering::SeqCst);
                    if before == 2 * SWAPS {
                        break;
                    }
                    let attributes =
                        [("gen_ai.operation.name", "execute_tool"), ("gen_ai.tool.call.result", "the words")]
                            .map(|(key, value)| attribute(key, Value::StringValue(value.to_owned())));
                    let id = ((client as u128) << 64 | (number + 1)).to_be_bytes().to_vec();
                    let spans = vec![Span { trace_id: id.clone(), ..span("a call", attributes.to_vec()) }];
                    let resource_spans = vec![ResourceSpans {
                        scope_spans: vec![ScopeSpans { spans, ..Default::default() }],
                        ..Default::default()
                    }];
                    service.export(ExportTraceServiceRequest { resource_spans }).await.unwrap();
                    let after = swapped.load(Ordering::SeqCst);
                    known.insert(id, (before == after && before.is_multiple_of(2)).then_some(before / 2));
                }
                known
            })
        })
        .collect();
    for number in 1..=SWAPS {
        // So that each policy sees some.
        let before = capture.requests().len();
        eventually("a request", || capture.requests().len() > before);
        swapped.store(2 * number - 1, Ordering::SeqCst);
        stage.set_policy(&policy_of(number));
        swapped.store(2 * number, Ordering::SeqCst);
    }
    let mut known = HashMap::new();
    for client in clients {
        known.extend(client.await.unwrap());
    }
    let (mut seen, mut certain) = (0, 0);
    for request in capture.requests() {
        let request = ExportTraceServiceRequest::decode(request).unwrap();
        for span in request.resource_spans.into_iter().flat_map(|it| it.scope_spans).flat_map(|it| it.spans) {
            let (shows, says_so) = shows(&span);
            assert_eq!(shows, says_so);
            if let Some(policy) = known[&span.trace_id] {
                assert_eq!(shows, !policy.is_multiple_of(2), "policy {policy}");
                certain += 1;
            }
            seen += 1;
        }
    }
    assert_eq!(seen, known.len(), "each left once");
    assert!(certain > 0);
}
