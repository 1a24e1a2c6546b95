//! The key that is kept for a user, so that digests of today compare with those of yesterday.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::key::{Key, KeyError};
use crate::environment::{Environment, Setting, Warning};

impl Key {
    /// The user's key, made where there is none. Nothing where there is no place for one.
    pub(super) fn kept(environment: &Environment, warnings: &mut Vec<Warning>) -> Option<Self> {
        const UNUSABLE: &str = "the key that is kept in this folder cannot be read or made; one is made for the life of the \
             process";
        let (variable, folder) = folder(environment)?;
        match keep(&folder) {
            Ok(key) => Some(key),
            Err(_) => {
                warnings.push(Warning::new(variable, "", UNUSABLE));
                None
            }
        }
    }
}

/// The user's configuration folder, as the XDG Base Directory Specification has it; a relative path is none.
fn folder(environment: &Environment) -> Option<(&'static str, PathBuf)> {
    let absolute = |name: &'static str| match environment.get(name) {
        Setting::Set(path) if Path::new(path).is_absolute() => Some((name, PathBuf::from(path))),
        _ => None,
    };
    let config = absolute("XDG_CONFIG_HOME");
    let (name, folder) = config.or_else(|| absolute("HOME").map(|(name, home)| (name, home.join(".config"))))?;
    Some((name, folder.join("veilspan")))
}

fn keep(folder: &Path) -> Result<Key, KeyError> {
    let path = folder.join("hash.key");
    match Key::from_file(&path, None) {
        Err(KeyError::Unreadable) => {}
        found => return found,
    }
    if is_missing(&path) {
        make(folder, &path).map_err(|_| KeyError::Unreadable)?;
    }
    // Read again: of two processes that made one at the same time the key of one is kept, and what was missing a moment ago
    // may have come from another.
    Key::from_file(&path, None)
}

fn is_missing(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Makes a key: written beside its place, and put there whole or not at all.
fn make(folder: &Path, path: &Path) -> std::io::Result<()> {
    make_folder(folder)?;
    let mut bytes = Zeroizing::new([0_u8; 32]);
    let mut name = [0_u8; 8];
    getrandom::fill(&mut *bytes).and_then(|()| getrandom::fill(&mut name)).map_err(std::io::Error::other)?;
    let beside = folder.join(format!(".hash.key.{:016x}", u64::from_le_bytes(name)));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // In digits, so that the key can be copied into a variable as it is.
    let mut digits = Zeroizing::new(String::with_capacity(2 * bytes.len()));
    for byte in *bytes {
        for digit in [byte >> 4, byte & 15] {
            digits.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(digits.as_bytes())?;
        file.sync_all()
    });
    // A link to it, since that never replaces a key that is there already.
    let placed = written.and_then(|()| fs::hard_link(&beside, path));
    let removed = fs::remove_file(&beside);
    match placed {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => removed,
        placed => placed.and(removed),
    }
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn kept_in(home: &Path) -> (Option<Key>, usize) {
        let mut warnings = Vec::new();
        let environment = [("HOME", home.to_str().unwrap())].into_iter().collect();
        let key = Key::kept(&environment, &mut warnings);
        (key, warnings.len())
    }

    #[test]
    fn a_key_is_made_once_and_kept_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let first = kept_in(home.path()).0.unwrap();
        assert_eq!(kept_in(home.path()).0.unwrap().id(), first.id());
        let folder = home.path().join(".config/veilspan");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("hash.key"))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn processes_that_begin_together_keep_one_key() {
        for _ in 0..20 {
            let home = tempfile::tempdir().unwrap();
            let ids: Vec<String> = std::thread::scope(|scope| {
                let begun: Vec<_> =
                    (0..8).map(|_| scope.spawn(|| kept_in(home.path()).0.unwrap().id().to_owned())).collect();
                begun.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert!(ids.iter().all(|id| *id == ids[0]));
        }
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_a_link_is_not_used_and_stays() {
        let home = tempfile::tempdir().unwrap();
        kept_in(home.path());
        let path = home.path().join(".config/veilspan/hash.key");
        let key = fs::read(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(kept_in(home.path()), (None, 1)));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let elsewhere = home.path().join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        assert!(matches!(kept_in(home.path()), (None, 1)));
        assert_eq!(fs::read(&elsewhere).unwrap(), key);
    }

    #[test]
    fn without_a_home_no_key_is_kept() {
        let mut warnings = Vec::new();
        for variables in [vec![], vec![("HOME", "")], vec![("HOME", "relative"), ("XDG_CONFIG_HOME", ".")]] {
            assert!(Key::kept(&variables.into_iter().collect(), &mut warnings).is_none());
        }
        assert!(warnings.is_empty());
    }
}
