//! Rows that come late: after the next prompt, or after the history was replaced.

use serde_json::{Value, json};
use veilspan::event::{CallKind, Given, Outcome};
use veilspan::import::claude::{Of, Session};
use veilspan::semconv::{INPUT_TOKENS, OUTPUT_TOKENS};

use super::claude::{drain, read};
use super::script::{Claude, SESSION, START};
use super::told::{All, seconds, set};

fn told(script: &Claude) -> All {
    read(&script.bytes())
}

/// The same rows, of which the one at `from` comes at `to`. Each still names the one that it came after.
fn moved(script: &Claude, from: usize, to: usize) -> Claude {
    let mut moved = script.clone();
    let row = moved.rows.remove(from);
    moved.rows.insert(to, row);
    moved
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn compacts(script: &mut Claude, second: f64) -> &mut Claude {
    script
        .row(second, json!({"type": "system", "subtype": "compact_boundary", "compactMetadata": {"trigger": "auto"}}));
    let summary = json!({"role": "user", "content": "short"});
    script.row(second, json!({"type": "user", "isCompactSummary": true, "message": summary}))
}

#[test]
fn t39_a_row_of_an_answer_after_the_next_prompt_belongs_to_the_answer() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "one").answer(2.0, "m1", text("a"), (10, 1), "");
    script.answer(3.0, "m1", text("b"), (10, 204), "end_turn");
    script.row(4.0, json!({"type": "system", "subtype": "turn_duration"}));
    script.prompt(10.0, "p2", "two").say(11.0, "m2", "done");
    let once = told(&script);
    assert_eq!(once.sum(OUTPUT_TOKENS), 209);
    for to in [3, 4] {
        assert_eq!(told(&moved(&script, 2, to)).sorted(), once.sorted(), "{to}");
    }
}

#[test]
fn an_answer_after_the_next_prompt_that_has_an_id_again_is_no_late_one() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "one").call(2.0, "m1", ("t1", "Bash"), json!({})).result(3.0, "t1", "ok", json!({}));
    script.prompt(10.0, "p2", "two").call(12.0, "m1", ("t2", "Read"), json!({})).result(13.0, "t2", "ok", json!({}));
    let told = told(&script);
    let turns = told.of(CallKind::Turn);
    assert_eq!([&turns[0].scope, &turns[1].scope], ["Bash", "Read"].map(|name| &told.tool(name).scope));
}

#[test]
fn t39_what_a_tool_returned_after_the_next_prompt_is_the_tools() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "one").call(2.0, "m1", ("t1", "Bash"), json!({"command": "ls"}));
    script.result(3.0, "t1", "ok", json!({})).prompt(4.0, "p2", "two");
    script.row(4.5, json!({"type": "attachment", "attachment": {"type": "skill_listing"}})).say(5.0, "m2", "done");
    let once = told(&script);
    let tool = once.tool("Bash");
    assert_eq!((seconds(tool), tool.closed.outcome), ((2, 3), Some(Outcome::Completed)));
    for to in [3, 4] {
        let late = told(&moved(&script, 2, to));
        assert_eq!(late.sorted(), once.sorted(), "{to}");
        let Given::Request(request) = &late.of(CallKind::Inference)[1].given else { panic!() };
        assert_eq!(request.items.len(), 3);
    }
}

#[test]
fn t34_rows_that_come_late_find_theirs_wherever_the_bytes_are_cut() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "one").call(2.0, "m1", ("t1", "Bash"), json!({"command": "ls"}));
    script.prompt(4.0, "p2", "two").result(5.0, "t1", "ok", json!({})).say(6.0, "m2", "done");
    let (whole, bytes) = (told(&script), script.bytes());
    for portion in [1, 100, 1000] {
        let mut session = Session::new(set(), SESSION);
        bytes.chunks(portion).for_each(|portion| session.feed(Of::Session, portion));
        session.end_of_file(Of::Session, true);
        session.finish();
        assert_eq!(drain(&mut session).sorted(), whole.sorted(), "{portion}");
    }
}

#[test]
fn t46_a_prompt_that_came_while_a_tool_ran_ends_nothing_of_a_session_that_still_runs() {
    let (grace, hour) = (10_000_000_000, START + 3_600_000_000_000);
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "one").call(2.0, "m1", ("t1", "Bash"), json!({"command": "ls"})).prompt(4.0, "p2", "two");
    let mut session = Session::new(set(), SESSION);
    session.feed(Of::Session, &script.bytes());
    assert!(session.is_open(hour, grace));
    assert_eq!(session.leave(hour, grace), 1);
    session.tick(hour);
    assert!(drain(&mut session).records().is_empty());
    // Nobody answers: it ends as if nothing had been held.
    session.finish();
    let told = drain(&mut session);
    assert_eq!((told.tool("Bash").closed.outcome, told.of(CallKind::Turn).len()), (Some(Outcome::Abandoned), 2));
}

#[test]
fn t46_a_prompt_after_an_answer_is_taken_once_nothing_comes_late_any_more() {
    let grace = 10_000_000_000;
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "one").answer(2.0, "m1", text("a"), (10, 5), "").prompt(4.0, "p2", "two");
    let mut session = Session::new(set(), SESSION);
    session.feed(Of::Session, &script.bytes());
    assert_eq!(session.leave(START + 5_000_000_000, grace), 1);
    assert!(drain(&mut session).records().is_empty());
    assert_eq!(session.leave(START + 20_000_000_000, grace), 1);
    assert_eq!(drain(&mut session).of(CallKind::Turn).len(), 1);
}

#[test]
fn t38_a_row_of_an_answer_after_a_compaction_belongs_to_the_answer() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "one").answer(2.0, "m1", text("a"), (10, 5), "");
    script.answer(
        2.5,
        "m1",
        json!({"type": "tool_use", "id": "t1", "name": "Bash", "input": {}}),
        (10, 204),
        "tool_use",
    );
    script.result(3.0, "t1", "ok", json!({}));
    compacts(&mut script, 4.0).say(6.0, "m2", "done");
    let once = told(&script);
    assert_eq!((once.sum(INPUT_TOKENS), once.sum(OUTPUT_TOKENS)), (20, 209));
    let mut late = script.clone();
    let rows: Vec<Value> = late.rows.drain(2..4).collect();
    late.rows.splice(4..4, rows);
    assert_eq!(told(&late).sorted(), once.sorted());
}

#[test]
fn t38_rows_that_stand_again_after_a_compaction_begin_no_other_inference() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "one").call(2.0, "m1", ("t1", "Bash"), json!({})).result(3.0, "t1", "ok", json!({}));
    compacts(&mut script, 4.0).say(6.0, "m2", "done");
    let once = told(&script);
    for place in [4, 5] {
        let mut again = script.clone();
        let rows = again.rows[1..3].to_vec();
        again.rows.splice(place..place, rows);
        let told = told(&again);
        let spans =
            |all: &All| all.records().iter().map(|record| (record.kind, record.opened.span)).collect::<Vec<_>>();
        assert_eq!(spans(&told), spans(&once), "{place}");
    }
}
