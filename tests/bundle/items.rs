use serde_json::json;
use veilspan::event::{Channel, ItemKind, Outcome, PartKind};
use veilspan::reduce::{FindingKind, Producer};
use veilspan::semconv::INPUT_TOKENS;

use super::build::*;

#[test]
fn reduction_a01_the_same_text_at_a_new_place_is_a_new_item() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("ok")]));
    bundle.ask("i2", json!([user("ok"), assistant("ack"), user("ok")]));
    let rollout = bundle.reduce();
    let requests = inferences(&rollout);
    assert_eq!((shown(requests[0]), shown(requests[1])), (vec![0], vec![0, 1, 2]));
    assert_eq!(thread(&rollout, "R").items.len(), 3);
}

#[test]
fn reduction_a02_and_reduction_a03_an_answer_is_part_of_the_history_before_it_is_sent_again() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([call("call-1", "{\"a\": 1}")]));
    assert_eq!(thread(&bundle.reduce(), "R").items.len(), 2);
    bundle.ask("i2", json!([user("hi"), call("call-1", "{\"a\":1}")]));
    let rollout = bundle.reduce();
    assert_eq!(shown(inferences(&rollout)[1]), [0, 1]);
    let items = &thread(&rollout, "R").items;
    assert_eq!(items.len(), 2);
    assert!(matches!(items[1].produced_by[..], [Producer::Inference(_)]));
    assert_eq!(items[1].facet.as_ref().unwrap().name.as_deref(), Some("exec_command"));
}

#[test]
fn reduction_a04_a_request_that_tells_only_what_is_new_shows_the_whole_history() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([call("call-1", "{}")]));
    let body = json!({"previous_response_id": "resp-1", "input": [output("call-1", "done")]});
    bundle.ask_in("R", "t1", "i2", body);
    let rollout = bundle.reduce();
    let requests = inferences(&rollout);
    assert_eq!(shown(requests[1]), [0, 1, 2]);
    assert_eq!(requests[0].call.attrs.get(INPUT_TOKENS), Some(10));
    // Sent once more, it shows the same items.
    bundle.ask_in("R", "t1", "i3", json!({"previous_response_id": "resp-1", "input": [output("call-1", "done")]}));
    assert_eq!(shown(inferences(&bundle.reduce())[2]), [0, 1, 2]);
}

#[test]
fn reduction_a05_what_moved_is_the_same_and_only_what_is_new_is_new() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([developer("rules"), user("hi")]));
    bundle.ask("i2", json!([user("hi"), user("summary"), developer("rules")]));
    assert_eq!(shown(inferences(&bundle.reduce())[1]), [1, 2, 0]);
}

pub fn thoughts(text: Option<&str>, summary: Option<&str>, blob: Option<&str>) -> serde_json::Value {
    let content: Vec<_> = text.into_iter().map(|text| json!({"type": "reasoning_text", "text": text})).collect();
    let summary: Vec<_> = summary.into_iter().map(|text| json!({"type": "summary_text", "text": text})).collect();
    json!({"type": "reasoning", "content": content, "summary": summary, "encrypted_content": blob})
}

#[test]
fn reduction_a06_thoughts_are_text_then_summary_then_what_only_the_provider_reads() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([thoughts(Some("think"), Some("short"), Some("blob"))]));
    let rollout = bundle.reduce();
    let facet = thread(&rollout, "R").items[1].facet.clone().unwrap();
    let kinds: Vec<_> = facet.parts.iter().map(|part| part.kind).collect();
    assert_eq!(kinds, [PartKind::Text, PartKind::Summary, PartKind::Encoded]);
    assert_eq!((facet.kind, facet.channel), (ItemKind::Reasoning, Some(Channel::Analysis)));
}

#[test]
fn reduction_a07_and_reduction_a09_a_blob_is_the_key_of_its_thoughts_and_readable_text_is_kept() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([thoughts(Some("first"), None, Some("blob")), call("call-1", "{}")]));
    let again = json!([user("hi"), thoughts(None, None, Some("blob")), call("call-1", "{}"), output("call-1", "x")]);
    bundle.ask("i2", again);
    let rollout = bundle.reduce();
    assert_eq!(shown(inferences(&rollout)[1]), [0, 1, 2, 3]);
    let parts =
        |rollout: &veilspan::reduce::Rollout| thread(rollout, "R").items[1].facet.clone().unwrap().parts.clone();
    let first = parts(&rollout);
    assert_eq!(first.len(), 2);
    bundle.ask("i3", json!([user("hi"), thoughts(Some("different"), None, Some("blob"))]));
    let rollout = bundle.reduce();
    assert_eq!(shown(inferences(&rollout)[2]), [0, 1]);
    assert_eq!(parts(&rollout), first);
}

#[test]
fn a_blob_seen_first_is_completed_by_what_is_readable_later() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([thoughts(None, None, Some("blob"))]));
    bundle.ask("i2", json!([thoughts(Some("text"), Some("short"), Some("blob"))]));
    let rollout = bundle.reduce();
    let parts = thread(&rollout, "R").items[0].facet.clone().unwrap().parts.clone();
    let kinds: Vec<_> = parts.iter().map(|part| part.kind).collect();
    assert_eq!(kinds, [PartKind::Text, PartKind::Summary, PartKind::Encoded]);
}

#[test]
fn reduction_a10_a_call_that_is_told_with_other_arguments_is_a_conflict_and_the_first_stands() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([call("call-1", "{\"x\":1}")]));
    bundle.ask("i2", json!([user("hi"), call("call-1", "{\"y\":1}"), output("call-1", "done")]));
    let rollout = bundle.reduce();
    assert_eq!(kinds(&rollout), [FindingKind::Conflict]);
    assert_eq!(rollout.findings[0].subject.as_deref(), Some("call-1"));
    assert_eq!(shown(inferences(&rollout)[1]), [0, 1, 2]);
    // In one answer the second of the two is set aside.
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer(
        "i1",
        "resp-1",
        json!([call("call-1", "{\"x\":1}"), call("call-1", "{\"y\":1}"), call("call-2", "{}")]),
    );
    let rollout = bundle.reduce();
    assert_eq!(kinds(&rollout), [FindingKind::Conflict]);
    assert_eq!(produced(inferences(&rollout)[0]), [1, 2]);
}

#[test]
fn an_id_that_a_later_answer_uses_again_is_another_call() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([call("call-1", "{\"x\":1}")]));
    let body = json!({"previous_response_id": "resp-1", "input": [output("call-1", "a")]});
    bundle.ask_in("R", "t1", "i2", body);
    bundle.answer("i2", "resp-2", json!([call("call-1", "{\"y\":1}")]));
    let rollout = bundle.reduce();
    assert!(rollout.findings.is_empty());
    assert_eq!(thread(&rollout, "R").items.len(), 4);
}

#[test]
fn reduction_a11_an_item_of_an_unknown_kind_is_kept_and_reported_by_name() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi"), {"type": "hologram", "shape": "cube"}, user("more")]));
    let rollout = bundle.reduce();
    assert_eq!(shown(inferences(&rollout)[0]), [0, 1, 2]);
    assert_eq!(kinds(&rollout), [FindingKind::Unknown]);
    assert_eq!(rollout.findings[0].actual.as_deref(), Some("hologram"));
}

#[test]
fn reduction_a12_a_request_without_input_is_set_aside_and_the_rest_stands() {
    let mut bundle = Bundle::new();
    bundle.ask_in("R", "t1", "i1", json!({"model": "m"}));
    bundle.ask("i2", json!([user("hi")]));
    let rollout = bundle.reduce();
    assert_eq!(inferences(&rollout).len(), 1);
    let aside = &rollout.quarantine[0];
    assert_eq!((&*aside.place, &*aside.reason), ("trace.jsonl:4:request_payload", "payload_shape"));
}

#[test]
fn reduction_a13_a_response_that_nobody_has_seen_leaves_a_gap_until_the_next_whole_request() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.ask_in("R", "t1", "i2", json!({"previous_response_id": "resp-9", "input": [user("more")]}));
    bundle.ask("i3", json!([user("hi"), user("more")]));
    let rollout = bundle.reduce();
    assert_eq!(kinds(&rollout), [FindingKind::Gap]);
    let requests = inferences(&rollout);
    assert!(requests[1].gap && !requests[2].gap);
    assert_eq!((shown(requests[1]), shown(requests[2])), (vec![1], vec![0, 1]));
}

pub fn install(bundle: &mut Bundle, id: &str, before: serde_json::Value, after: serde_json::Value) {
    let body = json!({"input_history": before, "replacement_history": after});
    let payload = bundle.payload("compaction_checkpoint", body);
    bundle.told(json!({"type": "compaction_installed", "compaction_id": id, "checkpoint_payload": payload}));
}

#[test]
fn reduction_a16_a_compaction_puts_new_items_into_the_place_of_all_before() {
    let blob = json!({"type": "compaction", "encrypted_content": "sealed"});
    let replacement = json!([user("hi"), user("summary"), blob]);
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([developer("rules"), user("hi")]));
    let request = bundle.payload("compaction_request", json!({"input": []}));
    bundle.told(json!({
        "type": "compaction_request_started", "compaction_id": "c1", "compaction_request_id": "cr1", "thread_id": "R",
        "codex_turn_id": "t1", "model": "m", "provider_name": "p", "request_payload": request,
    }));
    let response = bundle.payload("compaction_response", json!({"output_items": []}));
    bundle.told(json!({
        "type": "compaction_request_completed", "compaction_id": "c1", "compaction_request_id": "cr1",
        "response_payload": response,
    }));
    install(&mut bundle, "c1", json!([developer("rules"), user("hi")]), replacement);
    bundle.ask("i2", json!([developer("rules"), user("hi"), user("summary"), blob]));
    let rollout = bundle.reduce();
    let thread = thread(&rollout, "R");
    let compaction = &thread.compactions[0];
    assert_eq!(compaction.replaced.iter().collect::<Vec<_>>(), [0, 1]);
    assert_eq!((compaction.marker, compaction.attempts.len()), (2, 1));
    assert_eq!(compaction.replacement.iter().collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(shown(inferences(&rollout)[1]), [6, 3, 4, 5]);
    let marker = thread.items[2].facet.as_ref().unwrap();
    assert_eq!((marker.kind, marker.parts.len()), (ItemKind::CompactionMarker, 0));
    let sealed = thread.items[5].facet.as_ref().unwrap();
    assert_eq!((sealed.kind, sealed.channel), (ItemKind::Message, Some(Channel::Summary)));
    assert_eq!(sealed.parts.iter().map(|part| part.kind).collect::<Vec<_>>(), [PartKind::Encoded]);
    assert!(matches!(&thread.items[2].produced_by[..], [Producer::Compaction(id)] if id == "c1"));
    assert!(rollout.findings.is_empty());
}

#[test]
fn b08_of_two_compactions_in_a_row_the_second_replaces_what_the_first_put_there() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    install(&mut bundle, "c1", json!([user("hi")]), json!([user("one")]));
    install(&mut bundle, "c2", json!([user("one")]), json!([user("two")]));
    let rollout = bundle.reduce();
    let compactions = &thread(&rollout, "R").compactions;
    assert_eq!(compactions[0].replacement, compactions[1].replaced);
    assert_eq!(compactions.len(), 2);
}

#[test]
fn b07_a_result_that_a_compaction_shortened_is_a_rewrite_and_no_conflict() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([call("call-1", "{}")]));
    bundle.ask("i2", json!([user("hi"), call("call-1", "{}"), output("call-1", "a long result")]));
    let before = json!([user("hi"), call("call-1", "{}"), output("call-1", "a long result")]);
    install(&mut bundle, "c1", before, json!([user("hi"), call("call-1", "{}"), output("call-1", "a")]));
    bundle.ask("i3", json!([user("hi"), call("call-1", "{}"), output("call-1", "a")]));
    let rollout = bundle.reduce();
    assert!(rollout.findings.is_empty());
    assert_eq!(shown(inferences(&rollout)[2]), [4, 5, 6]);
}

#[test]
fn b04_a_result_with_an_image_seen_twice_is_one_item() {
    let image = json!({
        "type": "function_call_output", "call_id": "call-1",
        "output": [{"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": "data:image/png;base64,AAEC"}],
    });
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi"), call("call-1", "{}"), image]));
    bundle.ask("i2", json!([user("hi"), call("call-1", "{}"), image, user("and?")]));
    let rollout = bundle.reduce();
    assert_eq!(shown(inferences(&rollout)[1]), [0, 1, 2, 3]);
    assert!(rollout.findings.is_empty());
}

#[test]
fn b05_arguments_are_digested_whole_whatever_stands_in_them() {
    let long = format!("{{\"a\":\"{}\"}}", "ü".repeat(400));
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi"), call("call-1", &long)]));
    bundle.ask("i2", json!([user("hi"), call("call-1", &long.replace("üü\"", "üe\""))]));
    let rollout = bundle.reduce();
    assert_eq!(kinds(&rollout), [FindingKind::Conflict], "no prefix stands for the whole");
}

fn end(bundle: &mut Bundle, how: &str, id: &str, items: serde_json::Value) -> u64 {
    let partial = bundle.payload("inference_response", json!({"output_items": items}));
    bundle.told(json!({
        "type": format!("inference_{how}"), "inference_call_id": id, "upstream_request_id": null,
        "reason": "the user pressed escape", "error": "boom", "partial_response_payload": partial,
    }))
}

#[test]
fn reduction_a20_a_cancelled_inference_keeps_its_partial_item() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    end(&mut bundle, "cancelled", "i1", json!([assistant("par")]));
    let rollout = bundle.reduce();
    let inference = inferences(&rollout)[0];
    assert_eq!(inference.call.outcome, Some(Outcome::Cancelled));
    assert_eq!(produced(inference), [1]);
    assert!(inference.call.error.length.is_some());
}

#[test]
fn reduction_a21_a_cancelled_turn_cancels_its_open_inference_at_its_own_end() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    let seq = bundle.end_turn("R", "t1", "cancelled");
    let rollout = bundle.reduce();
    let call = &inferences(&rollout)[0].call;
    assert_eq!((call.outcome, call.closed_at.unwrap().seq), (Some(Outcome::Cancelled), Some(seq)));
}

#[test]
fn reduction_a22_a_late_partial_answer_is_kept_and_changes_no_status() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    let seq = bundle.end_turn("R", "t1", "failed");
    end(&mut bundle, "cancelled", "i1", json!([assistant("par")]));
    let rollout = bundle.reduce();
    let inference = inferences(&rollout)[0];
    assert_eq!((inference.call.outcome, inference.call.closed_at.unwrap().seq), (Some(Outcome::Failed), Some(seq)));
    assert_eq!(produced(inference), [1]);
    assert!(inference.call.late);
    assert_eq!(inference.call.attrs.text(veilspan::semconv::EVIDENCE_RESPONSE), Some("raw_payload:2"));
}
