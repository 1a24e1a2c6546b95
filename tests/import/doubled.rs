//! Rows that stand twice, and rows that stand in another order than things happened.

use serde_json::json;
use veilspan::event::{CallKind, Given, Outcome, Role};

use super::codex::read;
use super::script::{Claude, Codex, SESSION};
use super::told::{All, seconds, set};

fn told(script: &Claude) -> All {
    super::hooked::told(&mut veilspan::import::claude::Session::new(set(), SESSION), script)
}

fn codex() -> Codex {
    let mut script = Codex::session(1.0, "main-1");
    let asked = json!([{"type": "input_text", "text": "go"}]);
    let rules = json!([{"type": "input_text", "text": "be kind"}]);
    script.start(2.0, "t1").item(2.0, "message", json!({"role": "developer", "content": rules}));
    script.item(2.5, "message", json!({"role": "user", "content": asked})).asks(2.5, "go");
    script.thinks(3.0, "hm").calls(3.5, "c1", "shell", "{}").tokens(3.5, 10, 1).gets(4.0, "c1", json!("ok"));
    script.thinks(5.0, &"long ".repeat(1000)).says(6.0, "done").tokens(6.0, 20, 2).end(7.0, "t1");
    script.start(10.0, "t2").asks(10.0, "go").says(11.0, "done").tokens(11.0, 5, 1).end(12.0, "t2");
    script
}

fn claude() -> Claude {
    let mut script = Claude::default();
    script.prompt(2.0, "p1", "go").answer(
        3.0,
        "m1",
        json!({"type": "thinking", "thinking": "hm"}),
        (10, 5),
        "tool_use",
    );
    script.answer(3.2, "m1", json!({"type": "text", "text": "so"}), (10, 5), "tool_use");
    script.call(3.5, "m1", ("c1", "Bash"), json!({"command": "ls"})).result(4.0, "c1", "ok", json!({}));
    script.say(6.0, "m2", "done").row(6.5, json!({"type": "system", "subtype": "turn_duration"}));
    script.prompt(10.0, "p2", "go").say(11.0, "m3", "done");
    script
}

fn same(once: &All, again: &All) {
    assert_eq!(once.sorted(), again.sorted());
}

#[test]
fn t16_rows_that_stand_twice_are_read_once() {
    let (of_codex, of_claude) = (codex(), claude());
    let (once, once_of_claude) = (read(&of_codex), told(&of_claude));
    assert_eq!((once.records().len(), once_of_claude.records().len()), (6, 6));
    for place in 2..of_codex.rows.len() {
        let mut again = of_codex.clone();
        again.rows.insert(place, again.rows[place].clone());
        same(&once, &read(&again));
    }
    for place in 0..of_claude.rows.len() {
        let mut again = of_claude.clone();
        again.rows.insert(place, again.rows[place].clone());
        same(&once_of_claude, &told(&again));
    }
}

#[test]
fn t16_a_part_of_a_file_that_was_written_twice_is_read_once() {
    let of_claude = claude();
    let once = told(&of_claude);
    for from in 0..of_claude.rows.len() {
        for to in from..of_claude.rows.len() {
            let mut again = of_claude.clone();
            let part = again.rows[from..=to].to_vec();
            again.rows.splice(to + 1..to + 1, part);
            same(&once, &told(&again));
        }
    }
}

#[test]
fn t16_an_answer_of_which_a_row_stands_again_and_has_grown_has_its_text_once() {
    let grown = |texts: &[(&str, &str)]| {
        let mut script = Claude::default();
        script.prompt(2.0, "p1", "go");
        for (uuid, text) in texts {
            script.answer(3.0, "m1", json!({"type": "text", "text": text}), (10, 5), "end_turn");
            script.rows.last_mut().unwrap()["uuid"] = (*uuid).into();
        }
        script.prompt(10.0, "p2", "more").say(11.0, "m2", "done");
        told(&script)
    };
    same(&grown(&[("a", "one two"), ("b", "three")]), &grown(&[("a", "one"), ("b", "three"), ("a", "one two")]));
}

#[test]
fn t16_each_attempt_that_a_row_tells_of_is_one_however_often_it_does() {
    let mut script = Claude::default();
    script.prompt(2.0, "p1", "go");
    for (second, attempt) in [(3.0, 1), (3.0, 1), (4.0, 2), (5.0, 3), (5.0, 3)] {
        let error =
            json!({"type": "system", "subtype": "api_error", "retryAttempt": attempt, "error": {"status": 529}});
        script.row(second, error).rows.last_mut().unwrap()["uuid"] = "attempts".into();
    }
    script.say(6.0, "m1", "done");
    let told = told(&script);
    let inferences = told.of(CallKind::Inference);
    let outcomes = inferences.iter().map(|inference| (seconds(inference).1, inference.closed.outcome));
    let failed = |second| (second, Some(Outcome::Failed));
    let expected = [failed(3), failed(4), failed(5), (6, Some(Outcome::Completed))];
    assert_eq!(outcomes.collect::<Vec<_>>(), expected);
}

#[test]
fn t51_what_a_tool_returned_may_stand_before_its_call() {
    let mut script = claude();
    script.rows.swap(3, 4);
    let early = told(&script);
    let tool = early.tool("Bash");
    assert_eq!((seconds(tool), tool.closed.outcome), ((3, 4), Some(Outcome::Completed)));
    assert_eq!(early.of(CallKind::Inference)[1].given, told(&claude()).of(CallKind::Inference)[1].given);
    let mut script = codex();
    let call = script.rows.iter().position(|row| row["payload"]["type"] == "function_call").unwrap();
    let result = script.rows.remove(call + 2);
    for place in [call, call - 1] {
        let mut script = script.clone();
        script.rows.insert(place, result.clone());
        let early = read(&script);
        assert_eq!(early.tool("shell").closed.outcome, Some(Outcome::Completed));
        assert_eq!(early.tool("shell").returned, read(&codex()).tool("shell").returned);
        assert_eq!(early.of(CallKind::Inference)[1].given, read(&codex()).of(CallKind::Inference)[1].given);
    }
}

#[test]
fn t51_what_a_tool_returned_whose_call_never_came_is_history_once_another_answer_has_ended() {
    let mut script = codex();
    let call = script.rows.iter().position(|row| row["payload"]["type"] == "function_call").unwrap();
    script.rows.remove(call);
    let told = read(&script);
    let inferences = told.of(CallKind::Inference);
    let results = inferences.iter().map(|inference| {
        let Given::Request(request) = &inference.given else { panic!() };
        request.items.iter().filter(|item| item.role == Role::Tool).count()
    });
    assert_eq!((results.collect::<Vec<_>>(), told.of(CallKind::Tool).len()), (vec![0, 0, 1], 0));
}
