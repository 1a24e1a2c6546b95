use std::fs;

use serde_json::json;
use veilspan::event::Outcome;
use veilspan::import::bundle::{BundleError, BundleReader};
use veilspan::reduce::FindingKind;

use super::build::*;

fn aside(rollout: &veilspan::reduce::Rollout) -> Vec<(&str, &str)> {
    rollout.quarantine.iter().map(|one| (&*one.place, &*one.reason)).collect()
}

#[test]
fn b22_of_a_log_that_was_cut_off_all_before_is_kept() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([assistant("ho")]));
    let whole = bundle.reduce();
    let path = bundle.write().join("trace.jsonl");
    let log = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{log}{}", &log.lines().last().unwrap()[..40])).unwrap();
    let rollout = reduce(&read(bundle.folder.path()));
    assert_eq!(rollout.totals, whole.totals);
    assert_eq!(aside(&rollout), [("trace.jsonl:6", "truncated")]);
    assert_eq!(kinds(&rollout), [FindingKind::Quarantined]);
}

#[test]
fn any_prefix_of_a_log_is_a_valid_rollout() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([assistant("ho")]));
    let path = bundle.write().join("trace.jsonl");
    let log = fs::read(&path).unwrap();
    for length in (0..log.len()).step_by(17) {
        fs::write(&path, &log[..length]).unwrap();
        let events = read(bundle.folder.path());
        assert_eq!(reduce(&events).id, "R");
    }
}

#[test]
fn garbage_between_records_changes_nothing_but_what_is_set_aside() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([assistant("ho")]));
    let mut clean = bundle.reduce();
    for (at, garbage) in
        [(0, "garbage"), (2, "{\"a\":1}"), (4, "[]"), (5, "\u{0}\u{1}"), (7, "{\"seq\":1,\"payload\":3}")]
    {
        bundle.lines.insert(at, garbage.to_owned());
    }
    let mut dirty = bundle.reduce();
    assert_eq!(dirty.quarantine.len(), 5);
    for rollout in [&mut clean, &mut dirty] {
        rollout.quarantine.clear();
        rollout.findings.retain(|finding| finding.kind != FindingKind::Quarantined);
    }
    assert_eq!(clean.serialise(), dirty.serialise());
}

#[test]
fn half_a_record_before_another_on_one_line_costs_only_itself() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    let last = bundle.lines.last_mut().unwrap();
    *last = format!("{}{last}", &last[..30].to_owned());
    let rollout = bundle.reduce();
    assert_eq!(inferences(&rollout).len(), 1);
    assert_eq!(aside(&rollout), [("trace.jsonl:4", "not_json")]);
}

#[test]
fn b23_the_end_of_an_inference_that_nobody_began_is_an_orphan() {
    let mut bundle = Bundle::new();
    bundle.answer("i1", "resp-1", json!([assistant("ho")]));
    let rollout = bundle.reduce();
    assert_eq!(inferences(&rollout)[0].call.outcome, Some(Outcome::Completed));
    assert_eq!(kinds(&rollout), [FindingKind::Orphan]);
    assert_eq!(thread(&rollout, "R").items.len(), 1);
}

#[test]
fn b28_records_out_of_order_reduce_as_those_in_order() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([assistant("ho")]));
    bundle.end_turn("R", "t1", "completed");
    let sorted = bundle.reduce().serialise();
    bundle.lines.reverse();
    assert_eq!(bundle.reduce().serialise(), sorted);
    bundle.lines.swap(1, 4);
    assert_eq!(bundle.reduce().serialise(), sorted);
}

#[test]
fn b29_a_payload_that_leads_out_of_the_bundle_is_not_opened() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), json!({"input": [user("stolen")]}).to_string()).unwrap();
    let name = secret.path().file_name().unwrap().to_str().unwrap();
    for path in [secret.path().to_str().unwrap().to_owned(), format!("../{name}"), format!("payloads/../../{name}")] {
        let mut bundle = Bundle::new();
        bundle.told(json!({
            "type": "inference_started", "inference_call_id": "i1", "thread_id": "R", "codex_turn_id": "t1", "model": "m",
            "provider_name": "p",
            "request_payload": {"raw_payload_id": "raw_payload:1", "kind": {"type": "inference_request"}, "path": path},
        }));
        let rollout = bundle.reduce();
        assert_eq!(aside(&rollout), [("trace.jsonl:4:request_payload", "path_outside")]);
        assert!(thread(&rollout, "R").items.is_empty());
        assert_eq!(inferences(&rollout).len(), 1, "the record says more than its payload");
    }
}

#[test]
fn b30_a_record_of_an_unknown_type_is_kept_and_reported_by_name() {
    let mut bundle = Bundle::new();
    let payload = bundle.payload("protocol_event", json!({}));
    bundle.told(json!({"type": "inference_dreamt", "inference_call_id": "i1", "dream_payload": payload}));
    bundle.told(json!({"type": "other", "kind": "k", "summary": "s", "payloads": [payload], "metadata": {}}));
    bundle.ask("i1", json!([user("hi")]));
    let rollout = bundle.reduce();
    let names: Vec<_> = rollout.findings.iter().map(|finding| finding.actual.as_deref().unwrap()).collect();
    assert_eq!((names, kinds(&rollout)), (vec!["inference_dreamt", "other"], vec![FindingKind::Unknown; 2]));
    // What it refers to is evidence all the same.
    assert!(rollout.evidence.iter().any(|evidence| evidence.reference == "raw_payload:1"));
}

#[test]
fn a_missing_payload_costs_only_what_it_would_have_said() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([assistant("ho")]));
    fs::remove_file(bundle.folder.path().join("payloads/2.json")).unwrap();
    let rollout = bundle.reduce();
    assert_eq!(aside(&rollout), [("trace.jsonl:5:response_payload", "payload_missing")]);
    assert_eq!(inferences(&rollout)[0].call.outcome, Some(Outcome::Completed));
    assert_eq!(thread(&rollout, "R").items.len(), 1);
}

#[test]
fn a_gap_between_records_and_a_number_told_twice_are_told() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.lines.remove(1);
    let first = bundle.lines[0].clone();
    bundle.lines.push(first);
    assert_eq!(aside(&bundle.reduce()), [("trace.jsonl:2:seq", "gap"), ("trace.jsonl:4:seq", "duplicate")]);
}

#[test]
fn without_a_manifest_the_records_say_which_rollout_it_is() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    fs::remove_file(bundle.folder.path().join("manifest.json")).unwrap();
    let rollout = reduce(&read(bundle.write()));
    assert_eq!((&*rollout.id, aside(&rollout)), ("R", vec![("manifest.json", "payload_missing")]));
}

#[test]
fn what_is_no_bundle_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = |path: &std::path::Path| BundleReader::open(path, policy()).err();
    assert_eq!(error(folder.path()), Some(BundleError::NoLog));
    assert_eq!(error(&folder.path().join("none")), Some(BundleError::NoFolder));
}
