//! Content that was too long for its span is found again in the folder of payloads.

use std::path::PathBuf;

use serde_json::Value;
use veilspan::Policy;
use veilspan::event::{Message, Part, Role};
use veilspan::privacy::{Level, PayloadReader};
use veilspan::replay::{Kept, Recording, RigHistory, restorable, restore};

use super::build::Host;
use super::runs::{veilspan, write};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const SECRET: &str = "ghp_016C7f7e4b2c9D8a3F5e6B1d0A9c8E7f2a4b";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("payloads")
    }

    fn variables<'a>(&self, folder: &'a str, level: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            ("VEILSPAN_PAYLOADS", folder),
            ("VEILSPAN_CONTENT_MAX", "full"),
            ("VEILSPAN_CONTENT", level),
            ("VEILSPAN_ATTRIBUTE_BYTES", "500"),
            ("VEILSPAN_HASH_KEY", KEY),
        ]
    }

    /// A run whose texts are all too long for a span, and in one of which stands a secret.
    fn recorded(&self) -> Host {
        let folder = self.folder();
        let environment = self.variables(folder.to_str().unwrap(), "full").into_iter().collect();
        let (policy, warnings) = Policy::builder().content(Level::Full).build_in(&environment);
        assert!(warnings.is_empty(), "{warnings:?}");
        let host = Host::with(policy);
        let turn = host.recorder.turn("agent").tenant("acme").rollout("r").thread("th").turn_id("tu").start();
        let call = || Part::ToolCall {
            id: Some("call_a".into()),
            name: "read".into(),
            arguments: format!(r#"{{"path":"{}"}}"#, long("path")).into(),
        };
        let mut asked = turn.inference("openai", "m").system(long("rule")).input(long("question")).start();
        asked.output(Message { role: Role::Assistant, parts: vec![call()] }).finish_reason("tool_calls");
        asked.finish();
        let mut tool =
            turn.tool("read").call_id("call_a").arguments(format!(r#"{{"path":"{}"}}"#, long("path"))).start();
        tool.result(format!("{} {SECRET}", long("result")));
        tool.finish();
        turn.checkpoint("cp").framework("rig").record();
        turn.finish();
        host
    }
}

fn long(word: &str) -> String {
    format!("{word} ").repeat(300)
}

fn state(place: &Place, variables: &[(&str, &str)]) -> (Value, String) {
    let path = write(&place.recorded().calls(), place.0.path());
    let output = veilspan(&["restore", &path, "--at", "cp"], variables);
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{log}");
    (serde_json::from_slice(&output.stdout).unwrap(), log)
}

#[test]
fn a_state_holds_what_was_too_long_for_its_spans() {
    let place = Place::new();
    let folder = place.folder();
    let (state, log) = state(&place, &place.variables(folder.to_str().unwrap(), "full"));
    assert_eq!((&state["content"], state["messages"].as_array().unwrap().len()), (&"whole".into(), 3), "{state}");
    let told = state.to_string();
    for word in ["question", "path", "result", "rule"] {
        assert!(told.contains(long(word).trim_end()), "{word}");
    }
    assert!(told.contains(SECRET) && !log.contains("not all content"), "{log}");
    assert_eq!(state["state"]["data"], Value::Null, "it is rig's history");
}

#[test]
fn what_is_kept_is_shown_under_the_policy_of_whoever_reads() {
    let place = Place::new();
    let folder = place.folder();
    let (masked, _) = state(&place, &place.variables(folder.to_str().unwrap(), "masked"));
    let told = masked.to_string();
    assert!(told.contains(long("question").trim_end()) && told.contains("[redacted:"), "{told}");
    assert!(!told.contains(SECRET), "{told}");
    let (digests, log) = state(&place, &place.variables(folder.to_str().unwrap(), "digest"));
    assert_eq!(digests["content"], "nothing");
    assert!(!digests.to_string().contains("question") && !log.contains("kept elsewhere"), "{log}");
}

#[test]
fn what_cannot_be_had_is_said_and_the_rest_is_restored() {
    let place = Place::new();
    let folder = place.folder();
    let folder = folder.to_str().unwrap();
    let with = |name: &str, value: &'static str| -> Vec<(&str, &str)> {
        let mut variables = place.variables(folder, "full");
        variables.retain(|(known, _)| *known != name);
        variables.push(("VEILSPAN_HASH", "hmac-sha256"));
        variables.extend((!value.is_empty()).then_some(("VEILSPAN_HASH_KEY", value)));
        variables
    };
    for (variables, said) in [
        (with("VEILSPAN_PAYLOADS", ""), "VEILSPAN_PAYLOADS names no folder"),
        (with("VEILSPAN_HASH_KEY", "another key, another key, another key"), "made with another key"),
    ] {
        let (state, log) = state(&place, &variables);
        assert_eq!(state["content"], "part", "{state}");
        assert!(log.contains(said) && !log.contains("question"), "{log}");
    }
    // One file that somebody has changed, and one that somebody has removed.
    let host = place.recorded();
    let path = write(&host.calls(), place.0.path());
    let files: Vec<PathBuf> = std::fs::read_dir(place.folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut files = files.into_iter().filter(|path| path.is_file());
    std::fs::write(files.next().unwrap(), "changed").unwrap();
    std::fs::remove_file(files.next().unwrap()).unwrap();
    let output = veilspan(&["restore", &path, "--at", "cp"], &place.variables(folder, "full"));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("missing=2") && log.contains("not all content"), "{log}");
    assert!(!String::from_utf8(output.stdout).unwrap().contains("changed"));
}

#[test]
fn a_program_reads_what_is_kept_and_restores_its_own_agent() {
    let place = Place::new();
    let host = place.recorded();
    let folder = place.folder();
    let environment = place.variables(folder.to_str().unwrap(), "full").into_iter().collect();
    let (policy, _) = Policy::builder().content(Level::Full).build_in(&environment);
    let mut recording: Recording = host.recording();
    assert!(recording.has_payloads(&policy));
    assert_eq!(restorable(&recording, "cp").unwrap().kept, Kept::Part);
    // Another tenant's reader finds nothing that verifies, and changes nothing.
    let other = PayloadReader::from_environment(&environment, Some("other")).unwrap();
    let read = recording.read_payloads(&other, &policy);
    assert_eq!((read.found, read.missing > 0), (0, true));
    assert!(read.error.unwrap().to_string().contains("another tenant"));
    let reader = PayloadReader::from_environment(&environment, Some("acme")).unwrap();
    let read = recording.read_payloads(&reader, &policy);
    assert_eq!((read.missing, read.error), (0, None));
    let state = restorable(&recording, "cp").unwrap();
    assert_eq!(state.kept, Kept::Whole);
    let mut target = RigHistory::default();
    assert_eq!(restore(&recording, &state, &mut target).error, None);
    let history: Vec<rig::completion::Message> = serde_json::from_value(target.0.into()).unwrap();
    assert_eq!(history.len(), 3);
    assert!(format!("{history:?}").contains(long("result").trim_end()));
}
