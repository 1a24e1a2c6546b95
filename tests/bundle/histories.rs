//! More of the rules of histories: items that moved, thoughts with and without what only the provider reads, compactions.

use serde_json::json;
use veilspan::event::PartKind;
use veilspan::reduce::FindingKind;

use super::build::*;
use super::items::{install, thoughts};

#[test]
fn reduction_a10_a_call_that_moved_and_has_other_arguments_is_a_conflict_all_the_same() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([call("call-1", "{\"x\":1}"), call("call-2", "{}")]));
    bundle.ask("i2", json!([developer("new"), user("hi"), call("call-1", "{\"y\":1}"), call("call-2", "{}")]));
    let rollout = bundle.reduce();
    assert_eq!(kinds(&rollout), [FindingKind::Conflict]);
    assert_eq!(shown(inferences(&rollout)[1]), [3, 0, 1, 2]);
}

#[test]
fn reduction_a01_and_reduction_a05_equal_items_keep_their_order_when_they_move() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([developer("rules"), user("ok"), user("ok"), user("ok")]));
    bundle.ask("i2", json!([user("ok"), user("ok"), user("ok"), user("ok"), developer("rules")]));
    assert_eq!(shown(inferences(&bundle.reduce())[1]), [1, 2, 3, 4, 0]);
}

#[test]
fn a_long_history_of_equal_items_that_moved_costs_no_more_than_another() {
    let mut bundle = Bundle::new();
    let many: Vec<_> = (0..20_000).map(|_| user("ok")).collect();
    bundle.ask("i1", json!([&[developer("rules")], &many[..]].concat()));
    bundle.ask("i2", json!([&many[..], &[developer("rules")]].concat()));
    let rollout = bundle.reduce();
    assert_eq!(thread(&rollout, "R").items.len(), 20_001);
}

#[test]
fn reduction_a07_thoughts_that_are_sent_again_without_their_blob_are_the_same() {
    let whole = thoughts(Some("think"), Some("short"), Some("blob"));
    for again in [thoughts(Some("think"), Some("short"), None), thoughts(None, Some("short"), None)] {
        let mut bundle = Bundle::new();
        bundle.ask("i1", json!([user("hi")]));
        bundle.answer("i1", "resp-1", json!([whole]));
        bundle.ask("i2", json!([user("hi"), again]));
        bundle.ask("i3", json!([user("hi"), whole]));
        let rollout = bundle.reduce();
        assert_eq!((shown(inferences(&rollout)[1]), shown(inferences(&rollout)[2])), (vec![0, 1], vec![0, 1]));
    }
    // Other words are other thoughts.
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([whole]));
    bundle.ask("i2", json!([user("hi"), thoughts(Some("other"), None, None)]));
    assert_eq!(shown(inferences(&bundle.reduce())[1]), [0, 2]);
}

#[test]
fn reduction_a07_thoughts_without_a_blob_get_the_one_that_is_told_later() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([thoughts(Some("think"), None, None)]));
    bundle.ask("i2", json!([user("hi"), thoughts(Some("think"), None, Some("blob"))]));
    bundle.ask("i3", json!([user("hi"), thoughts(None, None, Some("blob"))]));
    let rollout = bundle.reduce();
    assert_eq!((shown(inferences(&rollout)[1]), shown(inferences(&rollout)[2])), (vec![0, 1], vec![0, 1]));
    let parts = thread(&rollout, "R").items[1].facet.clone().unwrap().parts.clone();
    assert_eq!(parts.iter().map(|part| part.kind).collect::<Vec<_>>(), [PartKind::Text, PartKind::Encoded]);
}

#[test]
fn reduction_a16_and_b08_three_compactions_and_one_of_another_thread_keep_apart() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.child("C", "/root/child", "R");
    bundle.turn("C", "t2");
    bundle.ask_in("C", "t2", "i2", json!({"input": [user("hi")]}));
    install(&mut bundle, "c1", json!([user("hi")]), json!([user("one")]));
    install(&mut bundle, "c2", json!([user("one")]), json!([user("two")]));
    install(&mut bundle, "c3", json!([user("two")]), json!([user("three")]));
    bundle.ask_in("C", "t2", "i3", json!({"input": [user("hi"), user("more")]}));
    let rollout = bundle.reduce();
    let compactions = &thread(&rollout, "R").compactions;
    assert!(compactions.windows(2).all(|two| two[0].replacement == two[1].replaced));
    let child = thread(&rollout, "C");
    assert_eq!((compactions.len(), child.compactions.len(), child.items.len()), (3, 0, 2));
}

#[test]
fn b07_a_result_that_is_told_shorter_without_a_compaction_is_another_item_and_no_conflict() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi"), call("call-1", "{}"), output("call-1", "a long result")]));
    bundle.ask("i2", json!([user("hi"), call("call-1", "{}"), output("call-1", "a long…")]));
    let rollout = bundle.reduce();
    assert!(rollout.findings.is_empty());
    assert_eq!(shown(inferences(&rollout)[1]), [0, 1, 3]);
}

#[test]
fn b05_arguments_that_are_no_json_are_compared_whole() {
    let long = |end: &str| format!("{{\"a\": {}{end}", "ü".repeat(400));
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi"), call("call-1", &long("x"))]));
    bundle.ask("i2", json!([user("hi"), call("call-1", &long("x"))]));
    assert!(bundle.reduce().findings.is_empty());
    bundle.ask("i3", json!([user("hi"), call("call-1", &long("y"))]));
    assert_eq!(kinds(&bundle.reduce()), [FindingKind::Conflict]);
}

#[test]
fn reduction_a16_a_request_that_went_on_from_before_a_compaction_does_not_undo_it() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([developer("rules"), user("hi")]));
    bundle.answer("i1", "resp-1", json!([assistant("a")]));
    install(
        &mut bundle,
        "k",
        json!([developer("rules"), user("hi"), assistant("a")]),
        json!([user("hi"), assistant("short")]),
    );
    bundle.ask_in("R", "t1", "i2", json!({"previous_response_id": "resp-1", "input": [user("more")]}));
    bundle.answer("i2", "resp-2", json!([assistant("b")]));
    let whole = [developer("rules"), user("hi"), assistant("short"), user("more"), assistant("b")];
    bundle.ask("i3", json!(whole));
    bundle.ask("i4", json!([&whole[..], &[user("again")]].concat()));
    let rollout = bundle.reduce();
    let compaction = &thread(&rollout, "R").compactions[0];
    let put: Vec<u32> = compaction.replacement.iter().collect();
    let [asked, answered] = [shown(inferences(&rollout)[1])[3], produced(inferences(&rollout)[1])[0]];
    let third = shown(inferences(&rollout)[2]);
    assert_eq!(third[1..], [put[0], put[1], asked, answered], "what is new is the developer's message alone");
    assert!(third[0] > answered, "it stands before what was put there");
    assert_eq!(shown(inferences(&rollout)[3])[..5], third[..]);
}

#[test]
fn reduction_a22_an_answer_that_comes_after_its_turn_was_first_seen_then() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    let ended = bundle.end_turn("R", "t1", "cancelled");
    bundle.turn("R", "t2");
    bundle.ask_in("R", "t2", "i2", json!({"input": [user("hi"), user("again")]}));
    let payload = bundle.payload("inference_response", json!({"output_items": [assistant("par")]}));
    let told = bundle.told(json!({
        "type": "inference_cancelled", "inference_call_id": "i1", "reason": "stop", "partial_response_payload": payload,
    }));
    let rollout = bundle.reduce();
    let first = &inferences(&rollout)[0];
    assert_eq!(first.call.closed_at.unwrap().seq, Some(ended));
    let items = &thread(&rollout, "R").items;
    let partial = &items[produced(first)[0] as usize];
    assert_eq!(partial.first_seen_unix_nano, told * 1_000_000);
    assert_eq!(items.len(), produced(first)[0] as usize + 1, "nothing was seen after it");
}
