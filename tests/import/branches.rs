//! Claude Code: what the model was shown where a person went back, or typed while it was at work.

use serde_json::{Value, json};
use veilspan::event::{CallKind, Given};

use super::claude::read;
use super::script::Claude;
use super::told::All;

/// How long the messages are that each request adds, and whether it goes on where the one before it ended.
fn shown(told: &All) -> Vec<(Vec<u64>, bool)> {
    let inputs = told.of(CallKind::Inference).into_iter().map(|call| match &call.given {
        Given::Request(input) => {
            (input.items.iter().map(|item| item.length.unwrap()).collect(), input.prefix.is_some())
        }
        _ => panic!("no request"),
    });
    inputs.collect()
}

fn prompts(script: &mut Claude, second: f64, id: &str, text: &str, parent: Value) {
    script.prompt(second, id, text);
    script.rows.last_mut().unwrap()["parentUuid"] = parent;
}

#[test]
fn a_prompt_that_goes_back_is_shown_with_what_came_before_its_place_alone() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "one").say(2.0, "m1", "four");
    script.prompt(3.0, "p2", "seven77").say(4.0, "m2", "nine99999");
    let after_first = script.rows[1]["uuid"].clone();
    prompts(&mut script, 5.0, "p3", "other", after_first);
    script.say(6.0, "m3", "x");
    prompts(&mut script, 7.0, "p4", "anew", Value::Null);
    script.say(8.0, "m4", "y");
    let told = read(&script.bytes());
    let shown: Vec<_> = shown(&told).into_iter().map(|(lengths, _)| lengths).collect();
    assert_eq!(shown, [vec![3], vec![4, 7], vec![3, 4, 5], vec![4]]);
    let links: Vec<usize> = told.of(CallKind::Turn).iter().map(|turn| turn.opened.links.len()).collect();
    assert_eq!(links, [0, 1, 1, 0], "a turn is linked to the one that it follows, not to the one that was left");
}

#[test]
fn a_prompt_that_goes_back_to_before_a_compaction_is_shown_what_was_said_then() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "one").say(2.0, "m1", "four");
    script.prompt(3.0, "p2", "seven77");
    script.row(4.0, json!({"type": "system", "subtype": "compact_boundary", "parentUuid": null}));
    let summary = json!({"role": "user", "content": "in short"});
    script.row(4.1, json!({"type": "user", "isCompactSummary": true, "message": summary}));
    script.say(5.0, "m2", "nine99999");
    let [after_first, after_second] = [1, 5].map(|row| script.rows[row]["uuid"].clone());
    prompts(&mut script, 6.0, "p3", "other", after_first);
    script.say(7.0, "m3", "x").prompt(8.0, "p4", "on").say(9.0, "m4", "y");
    prompts(&mut script, 10.0, "p5", "over there", after_second);
    let told = read(&script.say(11.0, "m5", "z").bytes());
    let shown = shown(&told);
    assert_eq!(
        shown.iter().map(|(lengths, _)| lengths.clone()).collect::<Vec<_>>(),
        [vec![3], vec![8], vec![3, 4, 5], vec![1, 2], vec![10]]
    );
    let mut plain = Claude::default();
    plain.prompt(1.0, "p1", "one").say(2.0, "m1", "four").prompt(6.0, "p3", "other").say(7.0, "m3", "x");
    let chain = |told: &All, place: usize| match &told.of(CallKind::Inference)[place].given {
        Given::Request(input) => (input.chain, input.omitted),
        _ => panic!("no request"),
    };
    assert_eq!(chain(&told, 2), (chain(&read(&plain.bytes()), 1).0, None));
    assert_eq!(chain(&told, 4).1, Some(2), "of a branch that was left the chain alone is known");
}

#[test]
fn a_prompt_that_follows_a_compaction_without_a_summary_is_shown_nothing_before_it() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "one").say(2.0, "m1", "four");
    script.row(4.0, json!({"type": "system", "subtype": "compact_boundary", "parentUuid": null}));
    let told = read(&script.prompt(6.0, "p2", "seven77").say(7.0, "m2", "x").bytes());
    assert_eq!(shown(&told), [(vec![3], false), (vec![7], false)]);
}

#[test]
fn rows_that_name_no_parents_follow_each_other() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "one").say(2.0, "m1", "four").prompt(3.0, "p2", "seven77").say(4.0, "m2", "x");
    for parent in [Some(Value::Null), None] {
        for row in &mut script.rows {
            match &parent {
                Some(parent) => row["parentUuid"] = parent.clone(),
                None => _ = row.as_object_mut().unwrap().remove("parentUuid"),
            }
        }
        assert_eq!(shown(&read(&script.bytes())), [(vec![3], false), (vec![4, 7], true)]);
    }
}

#[test]
fn what_is_typed_while_the_model_works_is_shown_to_it() {
    for typed in [json!("more"), json!([{"type": "text", "text": "more"}])] {
        let mut script = Claude::default();
        script.prompt(1.0, "p1", "go").call(2.0, "m1", ("t1", "Bash"), json!({}));
        script.row(2.5, json!({"type": "queue-operation", "operation": "enqueue", "content": "more"}));
        script.result(4.0, "t1", "done!", json!({}));
        let attachment = json!({"type": "queued_command", "prompt": typed, "commandMode": "prompt"});
        script.row(4.1, json!({"type": "attachment", "attachment": attachment}));
        script.row(4.2, json!({"type": "attachment", "attachment": {"type": "skill_listing", "content": "unshown"}}));
        script.say(6.0, "m2", "x");
        let told = read(&script.bytes());
        assert_eq!(shown(&told), [(vec![2], false), (vec![2, 5, 4], true)]);
        assert_eq!(told.of(CallKind::Turn).len(), 1);
    }
}
