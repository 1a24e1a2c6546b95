//! Rows of Codex that are missing, come late, or stand twice.

use serde_json::json;
use veilspan::event::{CallKind, Outcome};
use veilspan::semconv::{INPUT_TOKENS, OUTPUT_TOKENS, USAGE_MISSING};

use super::codex::read;
use super::script::Codex;
use super::told::{All, seconds};

fn turns(told: &All) -> Vec<((u64, u64), Option<Outcome>)> {
    told.of(CallKind::Turn).iter().map(|turn| (seconds(turn), turn.closed.outcome)).collect()
}

/// As versions wrote that told of no task: an item and an event for what was asked, and nothing of where a turn ends.
fn asked(script: &mut Codex, second: f64, text: &str) {
    let content = json!([{"type": "input_text", "text": text}]);
    script.item(second, "message", json!({"role": "user", "content": content})).asks(second, text);
}

#[test]
fn t50_a_session_that_tells_of_no_task_has_a_turn_for_each_thing_asked() {
    let mut script = Codex::session(1.0, "main-1");
    asked(&mut script, 2.0, "go on");
    script.calls(3.0, "c1", "shell", "{}").tokens(3.0, 10, 1).gets(4.0, "c1", json!("ok"));
    script.says(5.0, "done").tokens(5.0, 20, 2);
    asked(&mut script, 10.0, "go on");
    script.calls(11.0, "c2", "shell", "{}").tokens(11.0, 30, 3);
    script.event(12.0, "turn_aborted", json!({"reason": "interrupted"}));
    asked(&mut script, 20.0, "last");
    script.says(21.0, "bye").tokens(21.0, 40, 4);
    let told = read(&script);
    let completed = Some(Outcome::Completed);
    assert_eq!(turns(&told), [((2, 5), completed), ((10, 12), Some(Outcome::Cancelled)), ((20, 21), completed)]);
    let inferences = told.of(CallKind::Inference);
    assert_eq!(inferences.len(), 4);
    assert_eq!((told.sum(INPUT_TOKENS), told.sum(OUTPUT_TOKENS)), (100, 10));
    // What was asked is part of each request once, also where it is asked again.
    let asked: Vec<usize> = inferences
        .iter()
        .map(|inference| {
            let veilspan::event::Given::Request(request) = &inference.given else { panic!() };
            request.items.iter().filter(|item| item.role == veilspan::event::Role::User).count()
        })
        .collect();
    assert_eq!(asked, [1, 0, 1, 1]);
    // An agent of a later version went on with it.
    script.start(30.0, "t1").asks(30.0, "x").says(31.0, "y").tokens(31.0, 1, 1).end(32.0, "t1").says(33.0, "z");
    let later = read(&script);
    assert_eq!(turns(&later)[..3], turns(&told)[..]);
    assert_eq!(later.of(CallKind::Turn).len(), 4);
}

#[test]
fn what_an_ancestor_was_asked_begins_no_turn_where_its_child_tells_of_none() {
    for more in [json!({"forked_from_id": "other"}), json!({"parent_thread_id": "other"})] {
        let mut script = Codex::session(1.0, "main-1");
        script.rows[0]["payload"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        script.asks(2.0, "theirs").says(3.0, "theirs").tokens(3.0, 1, 1);
        script.start(10.0, "t1").asks(10.0, "own").says(11.0, "own").tokens(11.0, 5, 5).end(12.0, "t1");
        let told = read(&script);
        assert_eq!(turns(&told), [((10, 12), Some(Outcome::Completed))]);
        assert_eq!(told.sum(INPUT_TOKENS), 5);
    }
}

#[test]
fn t21_tokens_that_come_after_an_interruption_belong_to_the_answer_that_was_interrupted() {
    let mut script = Codex::session(1.0, "main-1");
    script.start(2.0, "t1").asks(2.0, "go").calls(3.0, "c1", "shell", "{}");
    script.event(4.0, "turn_aborted", json!({"turn_id": "t1", "reason": "interrupted"}));
    script.tokens(5.0, 10, 1).gets(5.0, "c1", json!("aborted by user"));
    script.start(10.0, "t2").asks(10.0, "more").says(11.0, "x").tokens(11.0, 5, 1).end(12.0, "t2");
    let told = read(&script);
    assert_eq!(turns(&told), [((2, 4), Some(Outcome::Cancelled)), ((10, 12), Some(Outcome::Completed))]);
    let tool = told.tool("shell");
    assert_eq!((seconds(tool), tool.closed.outcome), ((3, 4), Some(Outcome::Cancelled)));
    assert_eq!(told.sum(INPUT_TOKENS), 15);
    assert!(told.of(CallKind::Inference).iter().all(|inference| inference.closed.attrs.get(USAGE_MISSING).is_none()));
}

#[test]
fn t16_a_call_that_is_told_twice_is_part_of_its_answer_once() {
    let mut once = Codex::session(1.0, "main-1");
    once.start(2.0, "t1").asks(2.0, "go").calls(3.0, "c1", "shell", "{}");
    let mut twice = once.clone();
    twice.calls(3.0, "c1", "shell", "{}");
    let [once, twice] = [once, twice].map(|mut script| {
        script.tokens(3.0, 1, 1).gets(4.0, "c1", json!("ok")).says(5.0, "x").tokens(5.0, 1, 1).end(6.0, "t1");
        read(&script).sorted()
    });
    assert_eq!(once, twice);
}
