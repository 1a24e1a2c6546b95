//! Content that is too long for its attribute is kept whole, in a folder, under a reference that stands on its span.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use veilspan::environment::Environment;
use veilspan::event::{CallRecord, Digest, Message, Role, Shown, Veiled};
use veilspan::intake::Counts;
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

use super::recorded::{SOON, inference, tool};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const SECRET: &str = "ghp_016C7f7e4b2c9D8a3F5e6B1d0A9c8E7f2a4b";

/// A folder for payloads that is not there yet, in one that is.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> std::path::PathBuf {
        self.0.path().join("payloads")
    }

    fn environment(&self, more: &[(&str, &str)]) -> Environment {
        let folder = self.folder();
        let ours = [
            ("VEILSPAN_PAYLOADS", folder.to_str().unwrap()),
            ("VEILSPAN_CONTENT", "masked"),
            ("VEILSPAN_ATTRIBUTE_BYTES", "1000"),
            ("VEILSPAN_HASH_KEY", KEY),
        ];
        // Of two values for one name the last one counts.
        ours.iter().chain(more).copied().collect()
    }

    fn policy(&self, more: &[(&str, &str)]) -> Policy {
        let (policy, warnings) = Policy::builder().build_in(&self.environment(more));
        assert!(warnings.is_empty(), "{warnings:?}");
        policy
    }

    fn recorder(&self, more: &[(&str, &str)]) -> (Recorder, Arc<MemorySink>) {
        let sink = Arc::new(MemorySink::default());
        (Recorder::builder().sink(sink.clone()).policy(self.policy(more)).build(), sink)
    }

    fn recorded(&self, more: &[(&str, &str)], record: impl FnOnce(&Recorder)) -> (Vec<CallRecord<Veiled>>, Counts) {
        let (recorder, sink) = self.recorder(more);
        record(&recorder);
        let drained = recorder.shutdown(SOON);
        assert!(drained.complete);
        (sink.calls(), drained.counts)
    }

    /// Names and contents of the payloads, and nothing that was left half-written beside them.
    fn files(&self) -> Vec<(String, String)> {
        let Ok(entries) = fs::read_dir(self.folder()) else { return Vec::new() };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if name == "new" {
                assert_eq!(fs::read_dir(entry.path()).unwrap().count(), 0, "nothing is left unfinished");
            } else {
                files.push((name, fs::read_to_string(entry.path()).unwrap()));
            }
        }
        files.sort();
        files
    }
}

fn reference(shown: &Shown) -> Digest {
    shown.reference().expect("a reference").parse().unwrap()
}

fn file_name(reference: Digest) -> String {
    reference.to_string().rsplit(':').next().unwrap().to_owned()
}

fn ask(recorder: &Recorder, text: &str) {
    recorder.inference("p", "m").input(text).start().finish();
}

#[test]
fn long_content_is_cut_on_the_span_and_whole_in_its_file() {
    let place = Place::new();
    let said = format!("{} the end", "word ".repeat(1000));
    let (calls, counts) = place.recorded(&[], |recorder| ask(recorder, &said));
    let (input, _) = inference(&calls);
    let content = input.shown.content().unwrap();
    assert!(content.len() <= 1000 && content.contains("<truncated"));
    let files = place.files();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].0, file_name(reference(&input.shown)));
    let whole: Value = serde_json::from_str(&files[0].1).unwrap();
    assert_eq!(whole[0]["parts"][0]["content"], said);
    assert_eq!((counts.payloads.written, counts.payloads.failed, counts.texts_cut), (1, 0, 1));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&place.folder()), mode(&place.folder().join(&files[0].0))), (0o700, 0o600));
    assert!(!format!("{calls:?}").contains("the end"));
}

#[test]
fn what_fits_its_attribute_is_not_written() {
    let place = Place::new();
    let (calls, counts) = place.recorded(&[], |recorder| ask(recorder, "short"));
    assert!(inference(&calls).0.shown.reference().is_none());
    assert_eq!((place.files().len(), counts.payloads.written, counts.texts_cut), (0, 0, 0));
}

#[test]
fn every_kind_of_content_has_its_own_payload() {
    let place = Place::new();
    let long = |what: &str| format!("{what} {}", "x ".repeat(1000));
    let (calls, counts) = place.recorded(&[], |recorder| {
        let body = serde_json::json!({ "system": long("system"), "messages": [{ "role": "user", "content": long("user") }],
            "tools": [{ "name": "t", "description": long("description"), "input_schema": { "type": "object" } }] });
        let mut call = recorder.inference("p", "m").input(&body).start();
        call.output(Message::text(Role::Assistant, long("answer")));
        call.finish();
        let mut tool = recorder.tool("t").arguments(serde_json::json!({ "a": long("arguments") }).to_string()).start();
        tool.result(long("result"));
        tool.finish();
        let mut search = recorder.retrieval("source").query(long("query")).start();
        search.document(long("document"));
        search.finish();
    });
    let (input, output) = inference(&calls);
    let (arguments, result) = tool(&calls);
    let files = place.files();
    let whole = |shown: &Shown| {
        let name = file_name(reference(shown));
        &files.iter().find(|(known, _)| *known == name).unwrap().1
    };
    assert!(whole(&input.shown).contains(&long("user")) && !whole(&input.shown).contains("system"));
    assert!(whole(&input.system.shown).contains(&long("system")));
    assert!(whole(&input.tools_shown).contains(&long("description")));
    assert!(whole(&output.shown).contains(&long("answer")));
    let parsed: Value = serde_json::from_str(whole(&arguments.shown)).unwrap();
    assert_eq!(parsed["a"], long("arguments"));
    assert_eq!(*whole(&result.shown), long("result"));
    assert_eq!((files.len(), counts.payloads.written), (8, 8));
}

#[test]
fn the_same_content_is_written_once_over_calls_lives_and_processes() {
    let place = Place::new();
    let said = "again and again ".repeat(200);
    let once = |recorder: &Recorder| (0..3).for_each(|_| ask(recorder, &said));
    let (calls, counts) = place.recorded(&[], once);
    assert_eq!((counts.payloads.written, counts.payloads.known), (1, 2));
    let path = place.folder().join(&place.files()[0].0);
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    let (again, counts) = place.recorded(&[], once);
    assert_eq!((counts.payloads.written, counts.payloads.known), (0, 3));
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    assert_eq!(reference(&inference(&calls).0.shown), reference(&inference(&again).0.shown));
    // Two at once are as two processes: each looks at the disk alone.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| place.recorded(&[], |recorder| ask(recorder, &"at once ".repeat(400))));
        }
    });
    assert_eq!(place.files().len(), 2);
}

#[test]
fn what_the_policy_hides_is_never_written() {
    let said = |before: &str| format!("{before} {SECRET} {}", "word ".repeat(1000));
    for content in ["none", "digest", "preview", "nonsense", "redacted"] {
        let place = Place::new();
        let environment = place.environment(&[("VEILSPAN_CONTENT", content)]);
        let sink = Arc::new(MemorySink::default());
        let policy = Policy::builder().build_in(&environment).0;
        let recorder = Recorder::builder().sink(sink.clone()).policy(policy).build();
        ask(&recorder, &said("a"));
        assert!(recorder.shutdown(SOON).complete);
        assert!(!place.folder().exists(), "{content}");
        assert!(inference(&sink.calls()).0.shown.reference().is_none());
    }
    // Of a message that is shown, neither the secret in it nor the part whose class is hidden.
    let place = Place::new();
    place.recorded(&[("VEILSPAN_CONTENT_REASONING", "digest")], |recorder| {
        let body = serde_json::json!({ "messages": [{ "role": "assistant", "content": [
            { "type": "thinking", "thinking": "hidden thoughts", "signature": "x" },
            { "type": "text", "text": said("b") },
        ] }] });
        recorder.inference("p", "m").input(&body).start().finish();
        recorder.tool("t").arguments(said("c")).start().finish();
    });
    let files = place.files();
    assert_eq!(files.len(), 2);
    for (name, text) in files {
        assert!(!text.contains(SECRET) && text.contains("[redacted:"), "{name}");
        assert!(!text.contains("hidden thoughts"));
    }
}

#[test]
fn names_are_keyed_for_each_tenant_and_tell_nothing_by_themselves() {
    let place = Place::new();
    let said = "the same words ".repeat(200);
    let (calls, _) = place.recorded(&[], |recorder| {
        for tenant in ["a", "b"] {
            recorder.inference("p", "m").tenant(tenant).input(&*said).start().finish();
        }
        ask(recorder, &said);
    });
    let files = place.files();
    assert_eq!(files.len(), 3, "no two tenants share a name");
    assert!(files.iter().all(|(_, text)| *text == files[0].1));
    let plain = veilspan::privacy::c1::digest::text(&veilspan::privacy::c1::Hasher::sha256(), &files[0].1);
    assert!(files.iter().all(|(name, _)| *name != file_name(plain)));
    assert_eq!(calls.len(), 3);
}

#[test]
fn a_file_that_was_cut_or_is_a_link_is_replaced_and_what_the_link_leads_to_stays() {
    let place = Place::new();
    let said = "whole again ".repeat(300);
    place.recorded(&[], |recorder| ask(recorder, &said));
    let (name, whole) = place.files().pop().unwrap();
    let path = place.folder().join(&name);
    fs::write(&path, &whole.as_bytes()[..100]).unwrap();
    place.recorded(&[], |recorder| ask(recorder, &said));
    assert_eq!(place.files(), [(name.clone(), whole.clone())]);
    let elsewhere = place.0.path().join("elsewhere");
    fs::write(&elsewhere, "x".repeat(whole.len())).unwrap();
    fs::remove_file(&path).unwrap();
    symlink(&elsewhere, &path).unwrap();
    place.recorded(&[], |recorder| ask(recorder, &said));
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    assert_eq!(place.files(), [(name, whole.clone())]);
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "x".repeat(whole.len()));
}

#[test]
fn what_a_dead_process_left_unfinished_is_cleared_up() {
    let place = Place::new();
    place.recorded(&[], |recorder| ask(recorder, &"first ".repeat(300)));
    let left = place.folder().join("new").join("0123");
    fs::write(&left, "half a pay").unwrap();
    fs::set_permissions(&left, fs::Permissions::from_mode(0o600)).unwrap();
    // As long as something of the first recorder is still there, its folder is in the same hands.
    let rounds = (1..=1000).find(|round| {
        place.recorded(&[], |recorder| ask(recorder, &format!("round {round} ").repeat(300)));
        !left.exists()
    });
    assert_eq!(place.files().len(), 1 + rounds.unwrap());
}

#[test]
fn a_folder_that_is_a_link_or_others_may_enter_or_relative_is_not_used_and_named_in_one_warning() {
    let place = Place::new();
    let real = place.0.path().join("real");
    fs::create_dir(&real).unwrap();
    let refused = |more: &[(&str, &str)]| {
        let (policy, warnings) = Policy::builder().build_in(&place.environment(more));
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert_eq!(warnings[0].variable, "VEILSPAN_PAYLOADS");
        let sink = Arc::new(MemorySink::default());
        let recorder = Recorder::builder().sink(sink.clone()).policy(policy).build();
        ask(&recorder, &"long ".repeat(1000));
        assert!(recorder.shutdown(SOON).complete);
        let calls = sink.calls();
        assert!(inference(&calls).0.shown.content().is_some() && inference(&calls).0.shown.reference().is_none());
    };
    symlink(&real, place.folder()).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o700)).unwrap();
    refused(&[]);
    fs::remove_file(place.folder()).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o750)).unwrap();
    refused(&[("VEILSPAN_PAYLOADS", real.to_str().unwrap())]);
    refused(&[("VEILSPAN_PAYLOADS", "relative/folder")]);
    refused(&[("VEILSPAN_PAYLOADS", real.join("no/parent").to_str().unwrap())]);
    fs::write(place.folder(), "a file").unwrap();
    refused(&[]);
    assert_eq!(fs::read_dir(&real).unwrap().count(), 0);
}

#[test]
fn without_digests_that_last_no_payload_is_kept() {
    let place = Place::new();
    let folder = place.folder();
    let base = [("VEILSPAN_PAYLOADS", folder.to_str().unwrap()), ("VEILSPAN_CONTENT", "masked")];
    for more in [vec![], vec![("VEILSPAN_HASH", "none")]] {
        let environment: Environment = base.iter().copied().chain(more).collect();
        let (_, warnings) = Policy::builder().build_in(&environment);
        assert_eq!(warnings.len(), 1);
        assert!(!folder.exists());
    }
    // With a home the key is kept there.
    let home = [("HOME", place.0.path().to_str().unwrap())];
    let (policy, warnings) = Policy::builder().build_in(&base.into_iter().chain(home).collect());
    assert!(warnings.is_empty() && folder.exists() && !policy.key_id().unwrap().starts_with("ephemeral"));
}

#[test]
fn a_folder_that_cannot_be_written_costs_the_payload_and_nothing_else() {
    let place = Place::new();
    let (recorder, sink) = place.recorder(&[]);
    // The folder goes away under the store's hands.
    fs::remove_dir_all(place.folder()).unwrap();
    (0..3).for_each(|number| ask(&recorder, &format!("{number} {}", "long ".repeat(1000))));
    let drained = recorder.shutdown(SOON);
    assert!(drained.complete);
    assert_eq!((drained.counts.recorded, drained.counts.payloads.failed, drained.counts.payloads.written), (3, 3, 0));
    assert_eq!(sink.calls().len(), 3);
}

#[test]
fn what_waits_when_the_policy_is_lowered_is_withdrawn() {
    let place = Place::new();
    let (recorder, sink) = place.recorder(&[]);
    for number in 0..200 {
        ask(&recorder, &format!("{number} {}", "long ".repeat(20_000)));
    }
    recorder.set_policy(place.policy(&[("VEILSPAN_CONTENT", "digest")]));
    let at_the_swap = recorder.counts().payloads.written;
    ask(&recorder, &"after ".repeat(1000));
    let drained = recorder.shutdown(SOON);
    assert!(drained.complete);
    let payloads = drained.counts.payloads;
    // One may be in the middle of getting its name.
    assert!(payloads.written <= at_the_swap + 1, "{payloads:?} at {at_the_swap}");
    assert_eq!(place.files().len() as u64, payloads.written);
    let calls = sink.calls();
    assert!(inference(&calls[200..]).0.shown.is_nothing());
}
