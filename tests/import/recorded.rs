//! Hooks that another recorder noted.

use serde_json::{Value, json};

use super::command::{CANARY, claude, import, said, spans};
use super::script::SESSION;

#[test]
fn t37_a_line_of_recorded_hooks_that_cannot_be_used_is_set_aside_and_the_rest_is_read() {
    let home = tempfile::tempdir().unwrap();
    let [alone, beside] = ["alone", "beside"].map(|folder| home.path().join(folder));
    let transcript = beside.join("transcripts").join(format!("{SESSION}.jsonl"));
    std::fs::create_dir_all(transcript.parent().unwrap()).unwrap();
    std::fs::create_dir_all(&alone).unwrap();
    std::fs::write(&transcript, claude().bytes()).unwrap();
    let line = |ts: &str, payload: Value| json!({"ts": ts, "hook": "UserPromptSubmit", "payload": payload}).to_string();
    let good = json!({"session_id": SESSION, "prompt": CANARY});
    let lines = [
        line("2026-01-01T00:00:01Z", good.clone()),
        line("nope", good.clone()),
        String::new(),
        json!({"ts": 1, "payload": good}).to_string(),
        line("2026-01-01T00:00:02Z", json!({"prompt": CANARY})),
        CANARY.to_owned(),
        json!({"ts": 1}).to_string(),
        line("2026-01-01T00:00:03Z", json!(CANARY)),
        json!({"ts": "2026-01-01T00:00:09Z", "session_id": SESSION, "hook_event_name": "SessionEnd"}).to_string(),
        format!("{{\"{CANARY}"),
    ];
    for folder in [&alone, &beside] {
        std::fs::write(folder.join("events.ndjson"), lines.join("\n")).unwrap();
    }
    for path in [&alone, &beside, &transcript] {
        let output = import(home.path(), "claude-code", path, &["--dry-run"]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(65), "{said}");
        assert!(!said.contains("canary"), "{said}");
        let places: Vec<String> =
            said.lines().filter(|line| line.contains("could not be used")).map(str::to_owned).collect();
        assert_eq!(places.len(), 6, "{said}");
        let expected = [(2, "field"), (4, "field"), (5, "field"), (6, "not_json"), (7, "field"), (8, "field")];
        for (place, (line, reason)) in places.iter().zip(expected) {
            assert!(place.ends_with(&format!("file=events.ndjson line={line} reason=\"{reason}\"")), "{place}");
        }
        // The last one may still be written.
        assert!(said.contains("aside=6") && said.contains("torn=1"), "{said}");
        let turns = spans(&output).iter().filter(|span| span.parent_span_id.is_empty()).count();
        assert_eq!(turns, 1, "no session is made up");
    }
}
