//! Spans that are no GenAI spans: the detectors on their texts, and the whole policy by choice.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message;
use veilspan::Policy;
use veilspan::otlp::assemble::patched;
use veilspan::otlp::{Look, Request};
use veilspan::processor::privacy::Privacy;

use super::build::{array, attribute, by_key, keyed, map, of_spans, raw, span, text, text_of, veiled};
use super::deep::{Kind, padded, rewrite};
use super::support::leaks::holds;

const KEY: &str = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";

/// A span of a shop, with this text in each place where one can be.
fn of_a_shop(said: &str) -> Span {
    let said = || format!("before {said} behind");
    Span {
        name: said(),
        status: Some(Status { message: said(), code: 2 }),
        events: vec![Event { name: said(), attributes: vec![attribute("e", text(said()))], ..Event::default() }],
        links: vec![Link {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            attributes: vec![attribute("l", text(said()))],
            ..Link::default()
        }],
        ..span([
            attribute("http.url", text(said())),
            attribute("a list", array([text(said()), raw("x")])),
            attribute("a map", map([attribute("inner", array([text(said())]))])),
            attribute("http.route", text("/a path/{id}")),
        ])
    }
}

#[test]
fn a_secret_is_masked_wherever_it_stands_in_a_span_of_others() {
    let expected = of_spans([of_a_shop("[redacted:github-token]"), of_a_shop("nothing")]).encode_to_vec();
    let given = of_spans([of_a_shop(KEY), of_a_shop("nothing")]).encode_to_vec();
    for policy in [keyed(), Policy::builder().content(veilspan::privacy::Level::None).build_in(&Default::default()).0] {
        let out = veiled(&policy, &given);
        assert!(!holds(&out, KEY) && out == expected, "{}", policy.snapshot());
    }
    // Also where it is written in a way in which nobody else writes.
    let odd = rewrite(Kind::Request, &given, &mut |_, message| padded(&message));
    assert!(!holds(&veiled(&keyed(), &odd), KEY));
}

#[test]
fn what_no_detector_hits_keeps_its_bytes_also_beside_what_one_does() {
    let request = |first: &str| of_spans([of_a_shop(first), of_a_shop("nothing"), of_a_shop("nothing")]);
    let given = request("nothing").encode_to_vec();
    assert_eq!(veiled(&keyed(), &given), given);
    let odd = rewrite(Kind::Request, &given, &mut |_, message| padded(&message));
    assert_eq!(veiled(&keyed(), &odd), odd);
    let out = ExportTraceServiceRequest::decode(veiled(&keyed(), &request(KEY).encode_to_vec())).unwrap();
    let spans = &out.resource_spans[0].scope_spans[0].spans;
    assert_eq!(spans[1..], [of_a_shop("nothing"), of_a_shop("nothing")]);
}

#[test]
fn without_detectors_a_span_of_others_keeps_its_bytes() {
    let (policy, _) = Policy::builder().build_in(&[("VEILSPAN_DETECTORS", "none")].into_iter().collect());
    let given = of_spans([of_a_shop(KEY)]).encode_to_vec();
    assert_eq!(veiled(&policy, &given), given);
}

#[test]
fn by_choice_every_span_gets_the_whole_policy() {
    let given = Bytes::from(of_spans([of_a_shop("two words")]).encode_to_vec());
    let request = Request::parse(given, Look::Outside).unwrap();
    let patches = Privacy::new(keyed()).of_all_spans(true).request(&request);
    let out = patched(&request, &patches).into_bytes();
    assert!(!holds(&out, "two words"));
    let out = ExportTraceServiceRequest::decode(out).unwrap();
    let left = &out.resource_spans[0].scope_spans[0].spans[0];
    let attributes = by_key(&left.attributes);
    assert!(text_of(attributes["http.url.digest"]).starts_with("hmac-sha256:"));
    assert!(attributes.contains_key("veilspan.policy") && !attributes.contains_key("http.url"));
}
