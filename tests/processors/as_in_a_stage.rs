//! The same run leaves the same graph, and the same spans are added, in the SDK and in a stage.

#![cfg(feature = "collector")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use opentelemetry_sdk::trace::SpanData;
use prost::Message;
use veilspan::collector::{Capture, Config, Stage};
use veilspan::otlp::{Client, ClientOptions, Segments};
use veilspan::reduce::Limits;

use super::build::{Host, policy, states, until};

fn stage(limits: Limits) -> (Stage, Arc<Capture>) {
    let config = Config::between(([127, 0, 0, 1], 0).into(), None);
    let capture = Arc::new(Capture::default());
    let builder = Stage::builder(config).policy(policy()).limits(limits).capture(Arc::clone(&capture));
    (builder.start().unwrap(), capture)
}

/// Sends spans as the SDK's exporter would, in batches of three, the last one first.
fn send(stage: &Stage, spans: &[SpanData], resource: &opentelemetry_sdk::Resource) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::new(&ClientOptions::new(format!("http://{}", stage.address()))).unwrap();
        for batch in spans.chunks(3).rev() {
            let of = |span: &SpanData| {
                let scope = (&span.instrumentation_scope, None::<std::borrow::Cow<'static, str>>).into();
                ScopeSpans { scope: Some(scope), spans: vec![span.clone().into()], ..ScopeSpans::default() }
            };
            let resource = opentelemetry_proto::tonic::resource::v1::Resource {
                attributes: resource.iter().map(From::from).collect(),
                ..Default::default()
            };
            let resource_spans = ResourceSpans {
                resource: Some(resource),
                scope_spans: batch.iter().map(of).collect(),
                ..ResourceSpans::default()
            };
            let request = ExportTraceServiceRequest { resource_spans: vec![resource_spans] };
            let mut segments = Segments::with_capacity(1);
            segments.push(Bytes::from(request.encode_to_vec()));
            assert_eq!(client.export(segments).await.unwrap().rejected_spans, 0);
        }
    });
}

/// What says the same of a span, whoever wrote it: flags are the SDK's own, and attributes have no order.
fn comparable(mut spans: Vec<Span>) -> Vec<String> {
    for span in &mut spans {
        span.flags = 0;
        span.attributes.sort_by(|a, b| a.key.cmp(&b.key));
        span.links.iter_mut().for_each(|link| link.flags = 0);
        // An unset status may be said or left out.
        if span.status.as_ref().is_some_and(|status| status.code == 0) {
            span.status = None;
        }
    }
    spans.sort_by(|a, b| a.span_id.cmp(&b.span_id));
    spans.iter().map(|span| format!("{span:?}")).collect()
}

fn added_by_stage(capture: &Capture) -> Vec<Span> {
    let requests = capture.requests();
    let requests = requests.iter().map(|bytes| ExportTraceServiceRequest::decode(bytes.clone()).unwrap());
    let scopes = requests.flat_map(|request| request.resource_spans).flat_map(|resource| resource.scope_spans);
    let ours = scopes.filter(|scope| scope.scope.as_ref().is_some_and(|scope| scope.name == "veilspan"));
    ours.flat_map(|scope| scope.spans).collect()
}

fn compare(limits: &Limits, run: impl Fn(&Host), is_closed: bool) {
    let host = Host::new(limits.clone());
    let (stage, capture) = stage(limits.clone());
    run(&host);
    host.provider.force_flush().unwrap();
    let resource = host.next.0.lock().unwrap().resource.clone().unwrap();
    send(&stage, &host.ended.spans(), &resource);
    if is_closed {
        until("all rollouts are closed in the sdk", || {
            host.reduced.rollouts().iter().all(|rollout| rollout.closed.is_some())
        });
        until("all rollouts are closed in the stage", || {
            stage.rollouts().iter().all(|rollout| rollout.closed.is_some())
        });
        let summaries = host.reduced.rollouts().len();
        until("the summaries are added", || host.next.added().len() >= summaries);
        until("the summaries are sent", || added_by_stage(&capture).len() >= host.next.added().len());
    }
    let (in_the_sdk, in_the_stage) = (states(host.reduced.rollouts()), states(stage.rollouts()));
    assert!(!in_the_sdk.is_empty());
    assert_eq!(in_the_sdk, in_the_stage);
    let added: Vec<Span> = host.next.added().into_iter().map(Into::into).collect();
    assert_eq!(added.is_empty(), !is_closed);
    assert_eq!(comparable(added), comparable(added_by_stage(&capture)));
    stage.shutdown(Duration::from_secs(10));
}

#[test]
fn the_same_run_leaves_the_same_state_in_the_sdk_and_in_a_stage_while_it_is_open() {
    compare(&Limits::default(), |host| host.run("r1", false), false);
}

#[test]
fn the_same_run_leaves_the_same_state_and_the_same_added_spans_when_it_has_ended() {
    let limits = Limits { late_grace: Duration::from_secs(1), ..Limits::default() };
    compare(&limits, |host| host.run("r1", true), true);
}

#[test]
fn many_runs_at_once_leave_the_same_states() {
    let run = |host: &Host| {
        std::thread::scope(|scope| {
            for number in 0..8 {
                scope.spawn(move || host.run(&format!("r{number}"), number % 2 == 0));
            }
        });
    };
    compare(&Limits::default(), run, false);
}
