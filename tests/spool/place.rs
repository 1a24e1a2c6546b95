//! Where the spool of a test lies, and who uses it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use std::os::unix::fs::PermissionsExt;

use veilspan::export::{ExporterConfig, SpoolConfig};
use veilspan::{Policy, Recorder};

pub const SOON: Duration = Duration::from_secs(20);
/// Long enough for what is written, not for what is sent.
pub const BRIEF: Duration = Duration::from_millis(200);

pub fn policy() -> Policy {
    Policy::builder().build_in(&Default::default()).0
}

pub fn config(endpoint: String, folder: &Path) -> ExporterConfig {
    let mut config = ExporterConfig::default();
    config.endpoint = endpoint;
    config.batch_delay = Duration::from_millis(20);
    config.spool = Some(SpoolConfig::new(folder));
    config
}

pub fn recorder(endpoint: String, folder: &Path) -> Recorder {
    Recorder::exporting(&config(endpoint, folder), policy()).unwrap()
}

/// A folder of ours alone.
pub fn private() -> tempfile::TempDir {
    tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o700)).tempdir().unwrap()
}

/// Where nobody listens.
pub fn nowhere() -> String {
    format!("http://{}", std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        }
        found.push(path);
    }
    found
}

pub fn segments(folder: &Path) -> Vec<PathBuf> {
    let is_written = |path: &PathBuf| path.metadata().unwrap().len() > 0;
    files(folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "seg"))
        .filter(is_written)
        .collect()
}

pub fn until(what: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + SOON;
    while !what() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// A file system of its own, where we may mount one: CI runs as a user who may.
pub struct SmallDisk(pub PathBuf);

impl SmallDisk {
    pub fn mount(at: &Path, size: &str) -> Option<Self> {
        let at = at.join("disk");
        std::fs::create_dir(&at).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&at)
            .stderr(std::process::Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(at))
    }
}

impl std::ops::Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
