//! Files that begin with the mark that some editors put there.

use std::path::Path;

use super::command::{claude, codex, import, said, spans, veilspan};
use super::script::SESSION;

const MARK: &[u8] = "\u{feff}".as_bytes();

fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_mark_before_the_first_row_of_a_session_costs_nothing_of_it() {
    let home = tempfile::tempdir().unwrap();
    for (agent, name, bytes) in [
        ("claude-code", format!("{SESSION}.jsonl"), claude().bytes()),
        ("codex", "rollout-main-1.jsonl".to_owned(), codex().bytes()),
    ] {
        let [plain, marked] = ["plain", "marked"].map(|folder| home.path().join(folder).join(&name));
        write(&plain, &bytes);
        write(&marked, &[MARK, &bytes].concat());
        let read = |path: &Path| spans(&import(home.path(), agent, path, &["--dry-run"]));
        assert!(!read(&plain).is_empty());
        assert_eq!(read(&marked), read(&plain));
        // Nothing says here whose session it is, but its first row.
        let reduced = |path: &Path| veilspan(home.path(), &["reduce", path.to_str().unwrap(), "--format", "json"]);
        let output = reduced(&marked);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(output.stdout, reduced(&plain).stdout);
    }
}

#[test]
fn a_mark_before_what_hooks_told_costs_nothing_of_it() {
    let home = tempfile::tempdir().unwrap();
    let hook = |second: u64, name: &str| {
        format!(
            "{{\"ts\":\"2026-01-01T00:00:0{second}.000Z\",\"hook\":\"{name}\",\"payload\":{{\"session_id\":\"{SESSION}\",\"prompt\":\"go\"}}}}\n"
        )
    };
    // The prompt is told by the first line alone.
    let lines = hook(1, "UserPromptSubmit") + &hook(3, "Stop");
    let [plain, marked] = ["plain", "marked"].map(|folder| home.path().join(folder));
    write(&plain.join("events.ndjson"), lines.as_bytes());
    write(&marked.join("events.ndjson"), &[MARK, lines.as_bytes()].concat());
    let [plain, marked] = [plain, marked].map(|path| spans(&import(home.path(), "claude-code", &path, &["--dry-run"])));
    assert_eq!(plain.len(), 1);
    assert_eq!(marked, plain);
}
