//! Codex: where turns begin and end, told out of order, twice, or under an id that was used before.

use serde_json::json;
use veilspan::event::{CallKind, Outcome};
use veilspan::semconv::{SKILL_TRIGGER, USAGE_MISSING};

use super::codex::read;
use super::script::Codex;
use super::told::{All, seconds};

fn session() -> Codex {
    Codex::session(1.0, "main-1")
}

/// From when to when each turn was, and how it ended.
fn turns(told: &All) -> Vec<((u64, u64), Outcome)> {
    told.of(CallKind::Turn).into_iter().map(|turn| (seconds(turn), turn.closed.outcome.unwrap())).collect()
}

#[test]
fn an_id_of_an_older_turn_that_is_over_is_that_of_another_turn() {
    let mut script = session();
    for (second, id) in [(3.0, "1"), (13.0, "2"), (23.0, "1"), (33.0, "1"), (43.0, "2")] {
        script.start(second, id).asks(second + 1.0, id).says(second + 2.0, "so").tokens(second + 3.0, 100, 20);
        script.end(second + 4.0, id);
    }
    let told = read(&script);
    let completed = |begin| ((begin, begin + 4), Outcome::Completed);
    // The fourth stands right behind one of the same id: that is one turn.
    assert_eq!(turns(&told)[..2], [completed(3), completed(13)]);
    assert_eq!(turns(&told).len(), 4);
    let mut spans: Vec<_> = told.records().iter().map(|record| record.opened.span.span).collect();
    let all = spans.len();
    spans.sort_unstable();
    spans.dedup();
    assert_eq!(spans.len(), all, "each has a span of its own");
    assert_eq!(told.of(CallKind::Inference).len(), 5);
    assert!(told.of(CallKind::Inference).iter().all(|call| call.closed.attrs.get(USAGE_MISSING).is_none()));
}

#[test]
fn a_row_that_tells_once_more_that_an_older_turn_began_ends_nothing() {
    let mut script = session();
    script.start(3.0, "a").asks(4.0, "one").says(5.0, "so").tokens(5.0, 100, 20).end(6.0, "a");
    script.start(7.0, "b").asks(8.0, "two").start(9.0, "a").says(10.0, "so").tokens(10.0, 100, 20).end(11.0, "b");
    let told = read(&script);
    assert_eq!(turns(&told), [((3, 6), Outcome::Completed), ((7, 11), Outcome::Completed)]);
}

#[test]
fn the_end_of_another_turn_ends_none_that_runs() {
    let mut script = session();
    script.start(3.0, "a").asks(4.0, "one").says(5.0, "so").tokens(6.0, 100, 20);
    script.start(8.0, "b").asks(8.1, "two").end(8.5, "a").calls(9.0, "c1", "shell", "{}").tokens(10.0, 100, 20);
    script.gets(11.0, "c1", "ok".into()).says(12.0, "so").tokens(13.0, 100, 20).end(14.0, "b");
    let told = read(&script);
    assert_eq!(turns(&told)[1], ((8, 14), Outcome::Completed));
    assert_eq!(told.of(CallKind::Tool)[0].closed.outcome, Some(Outcome::Completed));
    let mut script = session();
    script.event(3.0, "task_started", json!({})).asks(4.0, "one").says(5.0, "so").tokens(6.0, 1, 1).end(7.0, "x");
    assert_eq!(turns(&read(&script)), [((3, 7), Outcome::Completed)], "no row told its id");
}

#[test]
fn the_first_end_of_a_turn_is_its_end() {
    let mut script = session();
    script.start(3.0, "a").asks(4.0, "one").says(5.0, "so").tokens(6.0, 100, 20).end(7.0, "a").end(60.0, "a");
    assert_eq!(turns(&read(&script)), [((3, 7), Outcome::Completed)]);
    let mut script = session();
    script.start(3.0, "a").asks(4.0, "one").calls(5.0, "c1", "shell", "{}").tokens(5.5, 100, 20);
    script.event(6.0, "turn_aborted", json!({"turn_id": "a", "reason": "interrupted"})).gets(6.2, "c1", "ok".into());
    script.end(7.0, "a").event(8.0, "turn_aborted", json!({"turn_id": "a"}));
    assert_eq!(turns(&read(&script)), [((3, 6), Outcome::Cancelled)]);
}

#[test]
fn a_search_of_the_provider_that_has_no_id_is_a_tool() {
    let search = |script: &mut Codex, second: f64| {
        let action = json!({"type": "search", "query": format!("{second}")});
        script.item(second, "web_search_call", json!({"status": "completed", "action": action}));
    };
    let mut script = session();
    script.start(3.0, "a").asks(4.0, "one");
    search(&mut script, 5.0);
    script.event(6.0, "web_search_begin", json!({"call_id": "ws"})).event(
        8.0,
        "web_search_end",
        json!({"call_id": "ws"}),
    );
    search(&mut script, 9.0);
    search(&mut script, 10.0);
    let twice = script.rows.last().unwrap().clone();
    script.rows.push(twice);
    script.says(11.0, "so").tokens(12.0, 100, 20).end(13.0, "a");
    let told = read(&script);
    let tools: Vec<_> = told.of(CallKind::Tool).into_iter().map(seconds).collect();
    assert_eq!(tools, [(5, 5), (6, 8), (10, 10)]);
}

#[test]
fn a_window_that_is_compacted_twice_has_two_compactions() {
    let mut script = session();
    script.start(3.0, "a").asks(4.0, "one").says(5.0, "so").tokens(6.0, 100, 20);
    for second in [7.0, 9.0] {
        script.row(second, "compacted", json!({"message": format!("short {second}"), "window_id": "w"}));
        script.tokens(second + 1.0, 10, 5);
    }
    script.end(13.0, "a");
    let told = read(&script);
    let [one, other] = told.of(CallKind::Compaction).try_into().unwrap();
    assert_ne!(one.opened.span.span, other.opened.span.span);
}

#[test]
fn a_skill_is_explicit_where_a_fragment_of_the_prompt_names_it() {
    let mut script = session();
    script.start(3.0, "a").asks(4.0, "<skill name=\"review\">read it</skill>");
    script.calls(5.0, "c1", "shell", r#"{"command":["python","skills/review/scripts/run.py"]}"#).tokens(6.0, 1, 1);
    script.gets(7.0, "c1", "ok".into()).end(8.0, "a");
    let told = read(&script);
    let tool = told.tool("skill:review");
    assert_eq!(tool.opened.attrs.text(SKILL_TRIGGER), Some("explicit"));
}
