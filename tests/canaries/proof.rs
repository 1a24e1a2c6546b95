//! The harness finds what it is there to find.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use veilspan::export::ExporterConfig;
use veilspan::privacy::Level;
use veilspan::semconv::Field;
use veilspan::{Policy, Recorder};

use super::policies::{every_level, without_ceiling};
use super::recorded::{SOON, private};
use super::scenario::record_everything;
use crate::support::canaries::{Canary, Class, Echo, Exits, Plants, Shape, bytes_of, forms};

fn recorded_under(policy: &Policy, shape: Shape) -> (Plants, Vec<Bytes>) {
    let echo = Echo::start();
    let mut config = ExporterConfig::default();
    config.endpoint = echo.url();
    let recorder = Recorder::exporting(&config, policy.clone()).unwrap();
    let mut plants = Plants::new(shape);
    let open = record_everything(&recorder, &mut plants);
    recorder.shutdown(SOON);
    drop(open);
    (plants, echo.requests())
}

#[test]
fn a_canary_that_is_let_through_is_found_in_every_form_at_every_exit() {
    let policy = every_level()[1].clone();
    for shape in Shape::ALL {
        let (plants, requests) = recorded_under(&policy, shape);
        let clean: Vec<u8> = requests.concat();
        let spoiled = plants.planted().iter().find(|canary| matches!(canary.class, Class::Content(_))).unwrap();
        for (form, bytes) in forms(&spoiled.word) {
            for at in [0, 1, 2, clean.len() / 2, clean.len()] {
                let leaking = [&clean[..at], &bytes, &clean[at..]].concat();
                let mut exits = Exits::of(&plants, &policy);
                exits.veiled("bytes", &leaking);
                assert!(exits.leaks().iter().any(|leak| leak.contains(&spoiled.place)), "{form} at {at}");
            }
            let folder = private();
            std::fs::create_dir(folder.path().join("below")).unwrap();
            std::fs::write(folder.path().join("below/a file"), &bytes).unwrap();
            let mut exits = Exits::of(&plants, &policy);
            exits.veiled("files", &bytes_of(folder.path()));
            assert_eq!(exits.leaks().len(), 1, "{form}: {:?}", exits.leaks());
        }
        let mut exits = Exits::of(&plants, &policy);
        exits.veiled("bytes", &clean);
        exits.assert_kept();
    }
}

#[test]
fn a_text_is_found_in_the_base64_and_the_json_of_what_it_is_a_part_of() {
    use base64::Engine;
    let policy = every_level()[1].clone();
    let mut plants = Plants::new(Shape::Free);
    let said = plants.said(&[Field::Prompts], "prompt");
    for before in 0..7 {
        let whole = format!("{}{said} and more", "x".repeat(before));
        let base64 = base64::engine::general_purpose::STANDARD.encode(&whole);
        let json = serde_json::to_string(&serde_json::json!({ "a": serde_json::to_string(&whole).unwrap() })).unwrap();
        let in_json = base64::engine::general_purpose::URL_SAFE.encode(&json);
        let url = percent_encoding::utf8_percent_encode(&whole, percent_encoding::NON_ALPHANUMERIC).to_string();
        let hex: String = whole.bytes().map(|byte| format!("{byte:02x}")).collect();
        for hidden in [base64, json, in_json, url, hex, format!("{:?}", whole.as_bytes())] {
            let mut exits = Exits::of(&plants, &policy);
            exits.silent("anywhere", hidden.as_bytes());
            assert_eq!(exits.leaks().len(), 1, "{hidden}");
        }
    }
}

#[test]
fn what_a_looser_policy_lets_leave_is_a_leak_under_a_stricter_one() {
    let policy = |level| Policy::builder().content(level).build_in(&without_ceiling()).0;
    for (actual, promised) in
        [(Level::Full, Level::Digest), (Level::Masked, Level::None), (Level::Preview, Level::Digest)]
    {
        let (plants, requests) = recorded_under(&policy(actual), Shape::Free);
        let strict = policy(promised);
        let mut exits = Exits::of(&plants, &strict);
        exits.requests("the wire", &requests);
        let told_of =
            |canary: &&Canary| exits.leaks().iter().any(|leak| leak.starts_with(&format!("{} (", canary.place)));
        let content = plants.planted().iter().filter(|canary| matches!(canary.class, Class::Content(_)));
        assert!(content.filter(told_of).count() >= 5, "{actual:?} is told to be {promised:?}");
    }
    let (plants, requests) = recorded_under(&policy(Level::Full), Shape::Secret);
    let masked = policy(Level::Masked);
    let mut exits = Exits::of(&plants, &masked);
    exits.requests("the wire", &requests);
    assert!(exits.leaks().len() > 10);
}

#[test]
fn a_label_under_a_key_that_is_for_none_is_a_leak() {
    let policy = every_level()[1].clone();
    let (plants, requests) = recorded_under(&policy, Shape::Label);
    let mut decoded = ExportTraceServiceRequest::decode(requests[0].clone()).unwrap();
    let model = plants.planted().iter().find(|canary| canary.place == "model").unwrap();
    let spans = decoded.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans);
    let attributes = spans.flat_map(|scope| &mut scope.spans).flat_map(|span| &mut span.attributes);
    for attribute in attributes.filter(|attribute| attribute.key == "gen_ai.request.model") {
        if format!("{:?}", attribute.value).contains(&model.word) {
            attribute.key = "veilspan.outcome".to_owned();
        }
    }
    let mut exits = Exits::of(&plants, &policy);
    exits.requests("the wire", &[decoded.encode_to_vec().into()]);
    assert!(exits.leaks().iter().any(|leak| leak.contains("veilspan.outcome")), "{:?}", exits.leaks());
}
