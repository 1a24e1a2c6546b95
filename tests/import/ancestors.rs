//! Codex: a file is read after those of its ancestors, whatever the order and however few of them were named.

use std::path::{Path, PathBuf};

use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;

use super::command::{said, spans, veilspan};
use super::script::Codex;

const MAIN: &str = "00000000-0000-7000-8000-00000000000a";
const AGENT: &str = "00000000-0000-7000-8000-00000000000b";

fn parent() -> Codex {
    let mut script = Codex::session(1.0, MAIN);
    script.start(2.0, "p1").asks(2.0, "go").calls(3.0, "s1", "spawn_agent", "{}").tokens(3.0, 1, 1);
    script.gets(4.0, "s1", json!(format!("{{\"agent_id\":\"{AGENT}\"}}"))).end(20.0, "p1");
    script
}

/// A thread that begins with its parent's rows, as if they had been made when they were copied.
fn child(of: &str) -> Codex {
    let mut script = Codex::default();
    script.row(4.0, "session_meta", json!({"id": AGENT, of: MAIN}));
    let copied = parent().rows.into_iter().take(6).map(|mut row| {
        row["timestamp"] = super::script::time(4.5).into();
        row
    });
    script.rows.extend(copied);
    script.start(5.0, "c1").says(6.0, "x").tokens(6.0, 1, 1).end(7.0, "c1");
    script
}

fn written(folder: &Path, names: [&str; 2], of: &str) -> [PathBuf; 2] {
    let files = [(names[0], parent()), (names[1], child(of))];
    files.map(|(name, script)| {
        let path = folder.join(format!("rollout-{name}.jsonl"));
        std::fs::write(&path, script.bytes()).unwrap();
        path
    })
}

fn import(home: &Path, arguments: &[&str]) -> Vec<Span> {
    let output = veilspan(home, &[&["import", "codex", "--dry-run"], arguments].concat());
    assert!(output.status.success(), "{}", said(&output));
    spans(&output)
}

#[test]
fn t31_and_t32_ancestors_are_read_first_whatever_the_order_of_names() {
    for of in ["parent_thread_id", "forked_from_id"] {
        let home = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| home.path().join(name));
        [&one, &other].into_iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
        let [first, second] = ["a", "b"].map(|name| format!("2026-01-01T00-00-04-{name}"));
        written(&one, [&first, &second], of);
        let [parent, child] = written(&other, [&second, &first], of);
        let whole: Vec<_> = import(home.path(), &[one.to_str().unwrap()]).into_iter().map(tree).collect();
        assert_eq!(whole.len(), 5, "of the parent a turn, an inference and a tool");
        let [other, parent, child] = [&other, &parent, &child].map(|path| path.to_str().unwrap());
        for arguments in [&[other][..], &[child, parent], &[parent, child, parent]] {
            let told: Vec<_> = import(home.path(), arguments).into_iter().map(tree).collect();
            assert_eq!(told, whole, "{of}: {arguments:?}");
        }
    }
}

/// What of a span does not hang on its file's name.
fn tree(span: Span) -> (Vec<u8>, Vec<u8>, Vec<u8>, String) {
    (span.trace_id, span.span_id, span.parent_span_id, span.name)
}

#[test]
fn t31_a_fork_named_alone_is_read_after_the_sessions_that_it_copied() {
    let home = tempfile::tempdir().unwrap();
    let sessions = home.path().join(".codex/sessions/2026/01/01");
    std::fs::create_dir_all(&sessions).unwrap();
    let [main, agent] = [("01", MAIN), ("04", AGENT)].map(|(second, id)| format!("2026-01-01T00-00-{second}-{id}"));
    let [_, fork] = written(&sessions, [&main, &agent], "forked_from_id");
    let whole = import(home.path(), &[sessions.to_str().unwrap()]);
    assert_eq!(whole.len(), 5);
    assert_eq!(import(home.path(), &[fork.to_str().unwrap()]), whole);
    assert_eq!(import(home.path(), &[AGENT]), whole);
}

#[test]
fn t31_what_an_ancestor_told_long_ago_is_no_newer_for_its_copy() {
    let home = tempfile::tempdir().unwrap();
    let [main, agent] = [("01", MAIN), ("04", AGENT)].map(|(second, id)| format!("2026-01-01T00-00-{second}-{id}"));
    let [parent, child] = written(home.path(), [&main, &agent], "parent_thread_id");
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    std::fs::File::options().write(true).open(parent).unwrap().set_modified(long_ago).unwrap();
    let paths = [home.path(), &child].map(|path| path.to_str().unwrap());
    for path in paths {
        let whole = import(home.path(), &[path]);
        let spawn = whole.iter().find(|span| span.name.ends_with("spawn_agent")).unwrap();
        let since = import(home.path(), &[path, "--since", "2026-01-01T00:00:00Z"]);
        let turns: Vec<_> = since.iter().filter(|span| span.name.starts_with("invoke_agent")).collect();
        assert_eq!((since.len(), turns.len()), (2, 1), "of the parent nothing is told");
        assert_eq!(turns[0].parent_span_id, spawn.span_id);
    }
}
