//! Claude Code.

use serde_json::{Value, json};
use veilspan::event::{CallKind, Outcome};
use veilspan::import::claude::{Of, Session};
use veilspan::semconv::{
    CACHE_CREATION_TOKENS, CACHE_READ_TOKENS, END_INFERRED, INPUT_TOKENS, OUTPUT_TOKENS, TOOL_NAME, USAGE_MISSING,
};

use super::script::{Claude, SESSION, START};
use super::told::{All, corpus, seconds, set};

pub fn drain(session: &mut Session) -> All {
    let mut told = All::default();
    told.0.extend(std::iter::from_fn(|| session.next_told()));
    told
}

pub fn read(transcript: &[u8]) -> All {
    let mut session = Session::new(set(), SESSION);
    session.feed(Of::Session, transcript);
    session.end_of_file(Of::Session, true);
    session.finish();
    drain(&mut session)
}

fn four_turns(with_hooks: bool, portions: usize) -> Option<All> {
    let folder = corpus()?.join("claude/four-turns");
    let stem = "4381b0d7-d67e-4187-bb2d-86a101d3b955";
    let mut session = Session::new(set(), stem);
    if with_hooks {
        for line in std::fs::read_to_string(folder.join("events.ndjson")).unwrap().lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            let time = event["ts"].as_str().unwrap();
            let at = veilspan::import::session::unix_nanos(time).unwrap();
            assert!(session.hook(event["payload"].to_string().as_bytes(), event["hook"].as_str(), at));
        }
    }
    let transcript = std::fs::read(folder.join(format!("transcripts/{stem}.jsonl"))).unwrap();
    for portion in transcript.chunks(portions) {
        session.feed(Of::Session, portion);
    }
    session.end_of_file(Of::Session, true);
    session.finish();
    assert_eq!(session.take_asides(), []);
    Some(drain(&mut session))
}

#[test]
fn t39_a_real_session_gives_the_numbers_of_its_manifest() {
    for with_hooks in [true, false] {
        let Some(told) = four_turns(with_hooks, usize::MAX) else { return };
        let turns = told.of(CallKind::Turn);
        assert_eq!(turns.len(), 4);
        let split: Vec<usize> = turns
            .iter()
            .map(|turn| told.of(CallKind::Inference).iter().filter(|call| call.scope.turn == turn.scope.turn).count())
            .collect();
        assert_eq!(split, [2, 1, 3, 1]);
        assert_eq!((told.sum(INPUT_TOKENS), told.sum(OUTPUT_TOKENS)), (187_216, 1_867));
        assert_eq!((told.sum(CACHE_READ_TOKENS), told.sum(CACHE_CREATION_TOKENS)), (165_784, 21_064));
        let mut names: Vec<String> =
            told.of(CallKind::Tool).iter().map(|tool| tool.opened.attrs.text(TOOL_NAME).unwrap().to_owned()).collect();
        names.sort();
        let bash = if with_hooks { 5 } else { 2 };
        let mut expected = vec!["Agent"; 4];
        expected.extend(vec!["Bash"; bash]);
        expected.extend(["TaskCreate", "ToolSearch", "WebFetch", "WebSearch"]);
        assert_eq!(names, expected);
        let [rollout] = told.rollouts().try_into().unwrap();
        assert_eq!((rollout.totals.turns, rollout.totals.inferences), (4, 7));
        assert_eq!(rollout.totals.tool_calls as usize, 8 + bash);
        assert_eq!(rollout.totals.input_tokens.zip(rollout.totals.output_tokens), Some((187_216, 1_867)));
        assert_eq!(rollout.findings, []);
        assert!(told.records().iter().all(|record| record.closed.outcome == Some(Outcome::Completed)));
    }
}

#[test]
fn t34_where_the_bytes_are_cut_changes_nothing() {
    let Some(whole) = four_turns(true, usize::MAX) else { return };
    for portion in [1, 7, 333, 4096] {
        assert_eq!(four_turns(true, portion).unwrap().sorted(), whole.sorted(), "{portion}");
    }
}

#[test]
fn t38_the_rows_of_one_message_are_one_inference() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "count");
    let text = |text: &str| json!({"type": "text", "text": text});
    script.answer(2.0, "m1", text("a"), (10, 1), "");
    script.answer(3.0, "m1", json!({"type": "thinking", "thinking": "b"}), (10, 1), "");
    script.answer(4.0, "m1", text("c"), (10, 204), "end_turn");
    let told = read(&script.bytes());
    let [inference] = told.of(CallKind::Inference).try_into().unwrap();
    assert_eq!(seconds(inference), (1, 4));
    assert_eq!((told.sum(INPUT_TOKENS), told.sum(OUTPUT_TOKENS)), (10, 204));
}

fn answered(usages: &[Value]) -> All {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "count");
    for usage in usages {
        script.answer(2.0, "m1", json!({"type": "text", "text": "a"}), (0, 0), "");
        script.rows.last_mut().unwrap()["message"]["usage"] = usage.clone();
    }
    read(&script.bytes())
}

#[test]
fn t38_each_number_of_the_usage_is_the_greatest_of_its_rows() {
    let told = answered(&[
        json!({"input_tokens": 10, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 0, "output_tokens": 1}),
        json!({"input_tokens": 2, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 50, "output_tokens": 3}),
        json!({"input_tokens": 10, "output_tokens": 2}),
    ]);
    assert_eq!((told.sum(INPUT_TOKENS), told.sum(OUTPUT_TOKENS)), (160, 3));
    assert_eq!((told.sum(CACHE_READ_TOKENS), told.sum(CACHE_CREATION_TOKENS)), (100, 50));
}

#[test]
fn t38_what_is_put_into_a_cache_counts_where_only_its_ages_are_told() {
    let ages = json!({"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 7});
    let told = answered(&[json!({"input_tokens": 1, "cache_creation": ages.clone()})]);
    assert_eq!((told.sum(INPUT_TOKENS), told.sum(CACHE_CREATION_TOKENS)), (38, 37));
    let told = answered(&[json!({"input_tokens": 1, "cache_creation_input_tokens": 9, "cache_creation": ages})]);
    assert_eq!((told.sum(INPUT_TOKENS), told.sum(CACHE_CREATION_TOKENS)), (10, 9));
}

#[test]
fn t06_why_an_answer_has_no_tokens_is_told() {
    let missing = |usages: &[Value]| {
        let told = answered(usages);
        let [inference] = told.of(CallKind::Inference).try_into().unwrap();
        inference.closed.attrs.text(USAGE_MISSING).map(str::to_owned)
    };
    let (empty, tokens) = (json!({}), json!({"input_tokens": 1}));
    assert_eq!(missing(&[Value::Null]).as_deref(), Some("missing"));
    assert_eq!(missing(std::slice::from_ref(&empty)).as_deref(), Some("missing"));
    assert_eq!(missing(&[json!({"words": 3}), json!({"words": 3})]).as_deref(), Some("unrecognised"));
    assert_eq!(missing(&[empty.clone(), tokens.clone(), empty]), None);
    assert_eq!(missing(&[tokens]), None);
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "go").say(2.0, "m1", "done");
    script.rows[1]["message"].as_object_mut().unwrap().remove("usage");
    let told = read(&script.bytes());
    assert_eq!(told.of(CallKind::Inference)[0].closed.attrs.text(USAGE_MISSING), Some("no_token_count"));
}

#[test]
fn t14_a_tool_that_never_returned_is_abandoned_at_the_end_of_its_turn() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "go").call(2.0, "m1", ("t1", "Bash"), json!({"command": "x"}));
    script.prompt(9.0, "p2", "again").say(10.0, "m2", "done");
    let told = read(&script.bytes());
    let tool = told.tool("Bash");
    assert_eq!((seconds(tool), tool.closed.outcome), ((2, 2), Some(Outcome::Abandoned)));
    assert_eq!(tool.closed.attrs.get(END_INFERRED), Some(true));
    assert_eq!(told.of(CallKind::Turn).len(), 2);
}

#[test]
fn t17_a_tool_whose_status_says_that_it_failed_has_failed() {
    let returned = |known: Value| {
        let mut script = Claude::default();
        script.prompt(1.0, "p1", "go").call(2.0, "m1", ("t1", "Bash"), json!({}));
        script.result(3.0, "t1", "it broke\nhere", json!({"known": known})).say(4.0, "m2", "done");
        let told = read(&script.bytes());
        let closed = &told.tool("Bash").closed;
        (closed.outcome, closed.error.length)
    };
    let failed = |length| (Some(Outcome::Failed), Some(length));
    assert_eq!(returned(json!({"status": "failed", "error": "boom\u{e9}\n at x"})), failed(6));
    assert_eq!(returned(json!({"status": "error"})), failed(8));
    assert_eq!(returned(json!({"status": "completed", "error": "boom"})), (Some(Outcome::Completed), None));
    assert_eq!(returned(json!({"status": "failed", "interrupted": true})).0, Some(Outcome::Cancelled));
}

#[test]
fn a_session_begins_with_the_first_row_that_has_a_time() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "count").say(2.0, "m1", "one");
    script.rows.insert(0, json!({"type": "permission-mode", "permissionMode": "default", "sessionId": SESSION}));
    script.rows.insert(1, json!({"type": "file-history-snapshot", "messageId": "m0", "snapshot": {}}));
    let [rollout] = read(&script.bytes()).rollouts().try_into().unwrap();
    let first = START + 1_000_000_000;
    assert_eq!(rollout.started_unix_nano, Some(first));
    assert_eq!(rollout.threads[0].started_at.map(|at| at.time_unix_nano), Some(first));
}

#[test]
fn an_error_that_is_written_twice_is_no_other_answers() {
    let mut script = Claude::default();
    let error = json!({"id": "e1", "role": "assistant", "model": "<synthetic>", "content": [{"type": "text", "text": "API Error"}]});
    script.prompt(1.0, "p1", "go").row(2.0, json!({"type": "assistant", "isApiErrorMessage": true, "message": error}));
    let again = script.rows[1].clone();
    script.answer(3.0, "m1", json!({"type": "text", "text": "well"}), (10, 5), "");
    script.rows.push(again);
    let told = read(&script.bytes());
    let errors: Vec<_> =
        told.of(CallKind::Inference).iter().map(|call| (call.closed.outcome, call.closed.error.length)).collect();
    assert_eq!(errors, [(Some(Outcome::Failed), Some(9)), (Some(Outcome::Completed), None)]);
}
