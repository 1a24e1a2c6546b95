//! Claude Code: a session that goes on in another file, which begins with a copy of its rows, or under another id.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};

use super::command::{CANARY, said, spans, veilspan};
use super::script::{Claude, SESSION, lines};

const EARLIER: &str = SESSION;
const LATER: &str = "00000000-0000-4000-8000-000000000005";

/// What the first session had said before it was left: a turn with two inferences and a tool.
fn begun() -> Claude {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", CANARY).call(2.0, "m1", ("t1", "Bash"), json!({"command": CANARY}));
    script.result(3.0, "t1", CANARY, json!({})).say(4.0, "m2", CANARY);
    script
}

/// What was said after so many rows: a turn with an inference.
fn goes_on(mut script: Claude, second: f64, id: &str) -> Vec<Value> {
    let rows = script.rows.len();
    script.prompt(second, id, "more").say(second + 1.0, &format!("m-{id}"), "yes");
    script.rows.split_off(rows)
}

/// The rows with names as they are: those of one session are another one's only where they were copied.
fn named(rows: &[Value], what: u32) -> Vec<Value> {
    let name = |of: &Value| {
        let number: u64 = of.as_str()?.strip_prefix("row-")?.parse().ok()?;
        let of_which = if number < 4 { 0 } else { what };
        Some(format!("11111111-2222-4333-8444-{of_which:04x}{number:08x}"))
    };
    let named = |row: &Value| {
        let mut row = row.clone();
        for member in ["uuid", "parentUuid"] {
            row[member] = name(&row[member]).into();
        }
        row
    };
    rows.iter().map(named).collect()
}

fn of(session: &str, mut rows: Vec<Value>) -> Vec<Value> {
    rows.iter_mut().for_each(|row| row["sessionId"] = session.into());
    rows
}

fn written(folder: &Path, session: &str, rows: &[Value]) -> PathBuf {
    let path = folder.join(format!("{session}.jsonl"));
    std::fs::write(&path, lines(rows)).unwrap();
    path
}

fn import(home: &Path, arguments: &[&Path]) -> Vec<Span> {
    let arguments: Vec<_> = arguments.iter().map(|path| path.to_str().unwrap()).collect();
    let output = veilspan(home, &[&["import", "claude-code", "--dry-run"][..], &arguments].concat());
    assert!(output.status.success(), "{}", said(&output));
    // Neither of the session nor of those that were looked at beside it.
    assert!(!said(&output).contains(CANARY), "{}", said(&output));
    spans(&output)
}

fn with(mut one: Vec<Span>, other: Vec<Span>) -> Vec<Span> {
    one.extend(other);
    one.sort_by(|one, other| one.span_id.cmp(&other.span_id));
    one
}

/// How a copy may look: its rows, of what was there and of what it was copied from.
const COPIES: [fn(Vec<Value>) -> Vec<Value>; 3] = [
    // Under the new session's id.
    |rows| of(LATER, rows),
    // With the id that they had.
    |rows| rows,
    // With where they come from.
    |rows| {
        let mut rows = of(LATER, rows);
        for row in &mut rows {
            row["forkedFrom"] = json!({"sessionId": EARLIER, "messageUuid": row["uuid"], "more": CANARY});
        }
        rows
    },
];

#[test]
fn t31_rows_that_were_copied_into_a_later_session_are_told_where_they_were_made() {
    for (number, copy) in COPIES.iter().enumerate() {
        let home = tempfile::tempdir().unwrap();
        let alone = tempfile::tempdir().unwrap();
        let before = named(&begun().rows, 0);
        let more = of(LATER, named(&goes_on(begun(), 10.0, "p2"), 1));
        let both = [copy(before.clone()), more].concat();
        let first = written(home.path(), EARLIER, &before);
        let second = written(home.path(), LATER, &both);
        let whole = import(home.path(), &[home.path()]);
        let told = import(home.path(), &[&written(alone.path(), EARLIER, &before)]);
        assert_eq!((told.len(), whole.len()), (4, 6), "{number}");
        // In whatever order, and by itself.
        assert_eq!(import(home.path(), &[&second, &first]), whole);
        assert_eq!(with(import(home.path(), &[&first]), import(home.path(), &[&second])), whole);
        assert_eq!(import(home.path(), &[&first]), told);
        // What the second one was sent begins with what the first one had said.
        let chains = |spans: &[Span], key: &str| -> Vec<String> {
            let attributes = spans.iter().flat_map(|span| &span.attributes).filter(|attribute| attribute.key == key);
            attributes.map(|attribute| format!("{:?}", attribute.value)).collect()
        };
        let lengths = chains(&import(home.path(), &[&second]), "veilspan.input.lengths");
        assert!(lengths.iter().any(|lengths| lengths.matches("IntValue").count() == 5), "{lengths:?}");
    }
}

#[test]
fn t31_sessions_that_both_go_on_have_each_its_own_rows_and_the_earlier_one_what_both_have() {
    for (number, copy) in COPIES.iter().enumerate() {
        let home = tempfile::tempdir().unwrap();
        let before = named(&begun().rows, 0);
        let on = named(&goes_on(begun(), 7.0, "p3"), 2);
        let later = of(LATER, named(&goes_on(begun(), 10.0, "p2"), 1));
        let first = written(home.path(), EARLIER, &[before.clone(), on].concat());
        let second = written(home.path(), LATER, &[copy(before), later].concat());
        let [told, copied] = [&first, &second].map(|path| import(home.path(), &[path]));
        assert_eq!((told.len(), copied.len()), (6, 2), "{number}");
        assert_eq!(import(home.path(), &[home.path()]), with(told, copied));
    }
}

#[test]
fn t31_a_copy_that_has_nothing_of_its_own_yet_tells_nothing() {
    let home = tempfile::tempdir().unwrap();
    let before = named(&begun().rows, 0);
    let first = written(home.path(), EARLIER, &before);
    let second = written(home.path(), LATER, &of(LATER, before));
    let long_ago = SystemTime::now() - Duration::from_secs(60);
    std::fs::File::options().write(true).open(&first).unwrap().set_modified(long_ago).unwrap();
    assert_eq!(import(home.path(), &[&second]).len(), 0);
    assert_eq!(import(home.path(), &[&first]).len(), 4);
}

#[test]
fn sessions_whose_rows_have_the_same_names_by_chance_are_told_both() {
    let home = tempfile::tempdir().unwrap();
    let rows = begun().rows;
    written(home.path(), EARLIER, &rows);
    written(home.path(), LATER, &of(LATER, rows));
    assert_eq!(import(home.path(), &[home.path()]).len(), 8);
}

#[test]
fn what_was_said_after_a_session_was_resumed_under_another_id_is_told_with_it() {
    let home = tempfile::tempdir().unwrap();
    let more = goes_on(begun(), 10.0, "p2");
    let path = written(home.path(), EARLIER, &[begun().rows, of(LATER, more.clone())].concat());
    let resumed = import(home.path(), &[&path]);
    written(home.path(), EARLIER, &[begun().rows, more.clone()].concat());
    assert_eq!((resumed.len(), &resumed), (6, &import(home.path(), &[&path])));
    // Where that has a transcript of its own it is told by that.
    written(home.path(), EARLIER, &[begun().rows, of(LATER, more.clone())].concat());
    written(home.path(), LATER, &of(LATER, more));
    assert_eq!(import(home.path(), &[&path]).len(), 4);
    assert_eq!(import(home.path(), &[home.path()]).len(), 6);
}
