//! The folder of a bundle: nothing is read that lies outside it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use super::Reason;

/// A folder whose files are read by paths that stand in the bundle itself, and are therefore not to be trusted.
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// # Errors
    ///
    /// If there is no such folder.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let root = fs::canonicalize(path)?;
        if root.is_dir() { Ok(Self { root }) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    /// Opens a regular file of this folder.
    ///
    /// Absolute paths, paths with `..` and symbolic links are refused, wherever they lead.
    pub(super) fn file(&self, relative: &str) -> Result<File, Reason> {
        let (mut path, mut is_file) = (self.root.clone(), false);
        for component in Path::new(relative).components() {
            match component {
                Component::Normal(name) => path.push(name),
                Component::CurDir => continue,
                _ => return Err(Reason::PathOutside),
            }
            // Opened first, a named pipe would block, so every step is looked at before.
            let found = fs::symlink_metadata(&path).map_err(|error| missing_or_unreadable(&error))?;
            if found.is_symlink() {
                return Err(Reason::PathOutside);
            }
            is_file = found.is_file();
        }
        if !is_file {
            return Err(Reason::NotAFile);
        }
        File::open(&path).map_err(|error| missing_or_unreadable(&error))
    }

    /// Reads a file of at most `limit` bytes.
    pub(super) fn read(&self, relative: &str, limit: u64) -> Result<Vec<u8>, Reason> {
        let file = self.file(relative)?;
        let length = file.metadata().map_err(|error| missing_or_unreadable(&error))?.len();
        if length > limit {
            return Err(Reason::Oversize);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default().saturating_add(1));
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| missing_or_unreadable(&error))?;
        if bytes.len() as u64 > limit { Err(Reason::Oversize) } else { Ok(bytes) }
    }
}

fn missing_or_unreadable(error: &io::Error) -> Reason {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Reason::Missing,
        _ => Reason::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().join("bundle");
        fs::create_dir_all(root.join("payloads")).unwrap();
        fs::write(root.join("payloads/1.json"), b"{}").unwrap();
        fs::write(temporary.path().join("secret"), b"secret").unwrap();
        let folder = Folder::open(&root).unwrap();
        (temporary, folder)
    }

    #[test]
    fn a_file_of_the_folder_is_read() {
        let (_temporary, folder) = folder();
        assert_eq!(folder.read("payloads/1.json", 2), Ok(b"{}".to_vec()));
        assert_eq!(folder.read("./payloads/./1.json", 2), Ok(b"{}".to_vec()));
        assert_eq!(folder.read("payloads/1.json", 1), Err(Reason::Oversize));
        assert_eq!(folder.read("payloads/2.json", 1), Err(Reason::Missing));
        assert_eq!(folder.read("payloads", 1), Err(Reason::NotAFile));
        assert_eq!(folder.read("", 1), Err(Reason::NotAFile));
    }

    #[test]
    fn b29_a_path_that_leaves_the_folder_is_refused() {
        let (temporary, folder) = folder();
        let absolute = temporary.path().join("secret");
        for path in ["../secret", "payloads/../../secret", absolute.to_str().unwrap(), "/etc/passwd", ".."] {
            assert_eq!(folder.read(path, 1024), Err(Reason::PathOutside), "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn b29_a_symbolic_link_is_refused_wherever_it_leads() {
        let (temporary, folder) = folder();
        let root = temporary.path().join("bundle");
        std::os::unix::fs::symlink(temporary.path().join("secret"), root.join("payloads/2.json")).unwrap();
        std::os::unix::fs::symlink(temporary.path(), root.join("out")).unwrap();
        std::os::unix::fs::symlink(root.join("payloads/1.json"), root.join("inside")).unwrap();
        for path in ["payloads/2.json", "out/secret", "inside"] {
            assert_eq!(folder.read(path, 1024), Err(Reason::PathOutside), "{path}");
        }
    }
}
