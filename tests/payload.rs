//! `veilspan payload get` prints what a reference stands for, or says why it does not.
#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use veilspan::event::Given;
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const SAID: &str = "a canary that is long enough for a payload ";

struct Kept {
    place: tempfile::TempDir,
    reference: String,
}

impl Kept {
    /// A payload of a tenant, in a folder of its own.
    fn of(tenant: Option<&str>, hash: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("payloads");
        let environment = [
            ("VEILSPAN_PAYLOADS", folder.to_str().unwrap()),
            ("VEILSPAN_CONTENT", "masked"),
            ("VEILSPAN_ATTRIBUTE_BYTES", "500"),
            ("VEILSPAN_HASH_KEY", KEY),
            ("VEILSPAN_HASH", hash),
        ];
        let (policy, warnings) = Policy::builder().build_in(&environment.into_iter().collect());
        assert!(warnings.is_empty());
        let sink = Arc::new(MemorySink::default());
        let recorder = Recorder::builder().sink(sink.clone()).policy(policy).build();
        let call = recorder.inference("p", "m").input(SAID.repeat(100));
        tenant.into_iter().fold(call, |call, tenant| call.tenant(tenant)).start().finish();
        assert!(recorder.shutdown(Duration::from_secs(20)).complete);
        let calls = sink.calls();
        let Given::Request(input) = &calls[0].given else { panic!("a request") };
        Self { reference: input.shown.reference().unwrap().to_string(), place }
    }

    fn folder(&self) -> PathBuf {
        self.place.path().join("payloads")
    }

    fn file(&self) -> PathBuf {
        self.folder().join(self.reference.rsplit(':').next().unwrap())
    }

    fn get(&self, arguments: &[&str]) -> Output {
        get(&self.folder(), &[("VEILSPAN_HASH_KEY", KEY)], &[&[&*self.reference], arguments].concat())
    }
}

fn get(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_veilspan"))
        .args(["payload", "get"])
        .args(arguments)
        .env_clear()
        .env("VEILSPAN_PAYLOADS", folder)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

/// It failed with this code, printed nothing of the payload, and said this.
fn refuses(output: &Output, code: i32, said: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(output.stdout.is_empty(), "{stderr}");
    assert!(stderr.contains(said) && !stderr.contains("canary"), "{stderr}");
}

#[test]
fn a_payload_is_printed_as_it_was_kept_whatever_the_level_is_here() {
    let kept = Kept::of(None, "hmac-sha256");
    let output = kept.get(&[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout, fs::read(kept.file()).unwrap());
    let messages: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(messages[0]["parts"][0]["content"], SAID.repeat(100));
    let none = get(&kept.folder(), &[("VEILSPAN_HASH_KEY", KEY), ("VEILSPAN_CONTENT", "none")], &[&kept.reference]);
    assert_eq!(none.stdout, output.stdout);
}

#[test]
fn a_tenants_payload_is_verified_with_the_tenants_key() {
    let kept = Kept::of(Some("acme"), "hmac-sha256");
    assert!(kept.get(&["--tenant", "acme"]).status.success());
    refuses(&kept.get(&[]), 65, "for another tenant");
    refuses(&kept.get(&["--tenant", "other"]), 65, "for another tenant");
}

#[test]
fn what_was_changed_or_made_with_another_key_is_not_printed() {
    let kept = Kept::of(None, "hmac-sha256");
    let whole = fs::read(kept.file()).unwrap();
    let other = "another key, another key, another key";
    refuses(&get(&kept.folder(), &[("VEILSPAN_HASH_KEY", other)], &[&kept.reference]), 65, "another key");
    let mut changed = whole.clone();
    changed[50] ^= 1;
    for tampered in [&changed[..], &whole[..whole.len() - 1], b""] {
        fs::write(kept.file(), tampered).unwrap();
        refuses(&kept.get(&[]), 65, "has been changed");
    }
}

#[test]
fn a_link_or_a_folder_or_a_file_for_others_in_its_place_is_not_read() {
    use std::os::unix::fs::PermissionsExt;
    let kept = Kept::of(None, "hmac-sha256");
    fs::set_permissions(kept.file(), fs::Permissions::from_mode(0o644)).unwrap();
    refuses(&kept.get(&[]), 65, "no plain file of this user's alone");
    let elsewhere = kept.place.path().join("elsewhere");
    fs::rename(kept.file(), &elsewhere).unwrap();
    symlink(&elsewhere, kept.file()).unwrap();
    refuses(&kept.get(&[]), 65, "no plain file of this user's alone");
    fs::remove_file(kept.file()).unwrap();
    fs::create_dir(kept.file()).unwrap();
    refuses(&kept.get(&[]), 65, "no plain file of this user's alone");
    fs::remove_dir(kept.file()).unwrap();
    refuses(&kept.get(&[]), 69, "never written, or has been deleted");
}

#[test]
fn what_is_missing_in_the_environment_is_named() {
    let kept = Kept::of(None, "sha256");
    let with = |variables: &[(&str, &str)]| get(&kept.folder(), variables, &[&kept.reference]);
    assert!(with(&[("VEILSPAN_HASH", "sha256")]).status.success(), "without a key it is verified too");
    refuses(&with(&[("VEILSPAN_HASH_KEY", KEY)]), 64, "set VEILSPAN_HASH");
    refuses(&with(&[]), 64, "VEILSPAN_HASH_KEY_FILE");
    refuses(&with(&[("VEILSPAN_HASH", "none")]), 64, "VEILSPAN_HASH_KEY_FILE");
    let unset = [("VEILSPAN_HASH", "sha256"), ("VEILSPAN_PAYLOADS", "")];
    refuses(&with(&unset), 64, "VEILSPAN_PAYLOADS names no folder");
    let gone = kept.place.path().join("gone");
    refuses(&get(&gone, &[("VEILSPAN_HASH", "sha256")], &[&kept.reference]), 69, "the folder is not there");
    assert!(!gone.exists(), "reading makes nothing");
    let link = kept.place.path().join("link");
    symlink(kept.folder(), &link).unwrap();
    refuses(&get(&link, &[("VEILSPAN_HASH", "sha256")], &[&kept.reference]), 69, "a link");
    for no_reference in ["", "../../etc/passwd", "sha256:00", "0123"] {
        refuses(&get(&kept.folder(), &[("VEILSPAN_HASH", "sha256")], &[no_reference]), 64, "64 lower-case hex digits");
    }
}

#[test]
fn a_full_disk_costs_the_payload_and_nothing_else() {
    // A limit on the length of files is as good as a full disk: the write fails in the middle.
    let place = tempfile::tempdir().unwrap();
    let script =
        r#"trap '' XFSZ; ulimit -f 1; exec "$0" --exact --ignored --nocapture a_child_records_into_a_full_disk"#;
    let output = Command::new("bash")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .current_dir(place.path())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("1 passed"), "{printed}");
}

#[test]
#[ignore = "run by `a_full_disk_costs_the_payload_and_nothing_else`, under a limit"]
fn a_child_records_into_a_full_disk() {
    // The child's working directory is the only thing that it is told.
    let place = std::env::current_dir().unwrap();
    let folder = place.join("payloads");
    let environment = [
        ("VEILSPAN_PAYLOADS", folder.to_str().unwrap()),
        ("VEILSPAN_CONTENT", "masked"),
        ("VEILSPAN_ATTRIBUTE_BYTES", "500"),
        ("VEILSPAN_HASH_KEY", KEY),
    ];
    let (policy, _) = Policy::builder().build_in(&environment.into_iter().collect());
    let sink = Arc::new(MemorySink::default());
    let recorder = Recorder::builder().sink(sink.clone()).policy(policy).build();
    recorder.inference("p", "m").input(SAID.repeat(1000)).start().finish();
    let drained = recorder.shutdown(Duration::from_secs(20));
    assert!(drained.complete);
    assert_eq!((drained.counts.recorded, drained.counts.payloads.failed, drained.counts.payloads.written), (1, 1, 0));
    assert_eq!(sink.calls().len(), 1);
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["new"]);
    assert_eq!(fs::read_dir(folder.join("new")).unwrap().count(), 0, "nothing is left unfinished");
}
