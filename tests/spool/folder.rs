//! Whose the folder is, and what others may read in it.

use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use veilspan::Recorder;

use crate::place::{SmallDisk, config, files, nowhere, policy, private, recorder, until};
use crate::support::leaks::holds;

#[test]
fn nothing_is_on_disk_that_others_may_read() {
    let home = private();
    let folder = home.path().join("spool");
    let recorder = recorder(nowhere(), &folder);
    recorder.tool("t").start().finish();
    assert!(until(|| recorder.counts().written == 1));
    assert_eq!(folder.metadata().unwrap().mode() & 0o777, 0o700);
    let found = files(&folder);
    assert!(found.len() >= 3, "{found:?}");
    for path in found {
        let mode = path.symlink_metadata().unwrap().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
}

#[test]
fn a_folder_that_is_not_ours_alone_or_a_link_is_refused_with_the_cure() {
    let home = private();
    let refused = |folder: &Path| {
        let error = Recorder::exporting(&config(nowhere(), folder), policy()).unwrap_err();
        std::error::Error::source(&error).unwrap().to_string()
    };
    let open = home.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o750)).unwrap();
    assert!(refused(&open).contains("0700"));
    let (target, link) = (home.path().join("target"), home.path().join("link"));
    std::fs::DirBuilder::new().mode(0o700).create(&target).unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    assert!(refused(&link).contains("link"));
    assert_eq!(std::fs::read_dir(&target).unwrap().count(), 0, "nothing was written through it");
    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(refused(&file).contains("no folder"));
    assert!(refused(&home.path().join("no/such")).contains("cannot be made"));
    // Another user's: where we may give one away, and else one that is there.
    let other = home.path().join("other");
    std::fs::DirBuilder::new().mode(0o700).create(&other).unwrap();
    let other = match std::os::unix::fs::chown(&other, Some(54321), None) {
        Ok(()) => other,
        Err(_) => PathBuf::from("/"),
    };
    assert!(refused(&other).contains("this user"), "{}", refused(&other));
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_that_says_so() {
    let home = private();
    let Some(disk) = SmallDisk::mount(home.path(), "64k") else { return };
    let folder = disk.0.join("spool");
    std::fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
    let remounted = std::process::Command::new("mount").args(["-o", "remount,ro"]).arg(&disk.0).status();
    assert!(remounted.unwrap().success());
    let error = Recorder::exporting(&config(nowhere(), &folder), policy()).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap();
    assert!(cause.to_string().contains("nothing can be written"), "{cause}");
}

#[test]
fn nothing_that_was_said_is_in_any_file_of_the_spool() {
    let home = private();
    let recorder = recorder(nowhere(), home.path());
    let turn = recorder.turn("canary agent with blanks").rollout("canary rollout with blanks").start();
    let mut call = turn.inference("openai", "canary model with blanks").input("canary input with blanks").start();
    call.output(veilspan::event::Message::text(veilspan::event::Role::Assistant, "canary output with blanks"));
    call.finish();
    let mut tool = turn.tool("t").arguments("{\"canary\": \"canary arguments with blanks\"}").start();
    tool.result("canary result with blanks");
    tool.fail("canary error with blanks");
    std::mem::forget(turn.tool("open").arguments("canary of an open call").start());
    turn.finish();
    assert!(until(|| recorder.counts().written == 3));
    let written: Vec<u8> =
        files(home.path()).iter().filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect();
    assert!(holds(&written, "execute_tool open") && holds(&written, "veilspan.input.digests"));
    assert!(!holds(&written, "canary"));
}
