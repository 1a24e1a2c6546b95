//! Which rows of a transcript of Claude Code were made in another session.
//!
//! Where a session is forked, put into the background, or (by older versions) resumed, a new file begins with a copy of all
//! rows so far: mostly under the new session's id, always with the names that they had. Files of one folder whose first
//! names are one are of such a family, and each row is told of where it was made. Costs a look at the beginning of each
//! file in the folder, and of a family the names of all rows.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::files::{Found, transcripts_in};
use super::hooked;
use crate::import::claude::row_name;
use crate::import::session::unix_nanos;
use crate::json::{Escapes, Node, Tape};

/// The first row that has a name is one of the first so many.
const FIRST: usize = 64;
/// The rows of one file that are looked at, and the other files of a family.
const MAX_ROWS: usize = 1 << 20;
const MAX_FAMILY: usize = 64;

/// The files that were looked at.
#[derive(Default)]
pub(super) struct Copies {
    folders: HashMap<PathBuf, Folder>,
    /// Those of families, as they were then.
    files: HashMap<PathBuf, (SystemTime, u64, Rows)>,
}

/// The transcripts of a folder.
struct Folder {
    /// By the name of their first row.
    families: HashMap<u128, Vec<PathBuf>>,
    sessions: Arc<HashSet<String>>,
}

/// The rows of a file that have names.
#[derive(Default)]
struct Rows {
    /// When they were made.
    rows: Vec<(u128, u64)>,
    /// The session that the first one says it is of.
    session: Option<String>,
    /// The one that the first row which says so was copied from.
    forked_from: Option<String>,
}

impl Copies {
    /// The names of the rows that other sessions of the folder made, of which this one may have copies; nothing where its
    /// first row that has a name is still to be written. Those that are known to have been there before it have made what
    /// both have.
    pub(super) fn of(&mut self, file: &Found, was_there_before: impl Fn(&Path) -> bool) -> Option<HashSet<u128>> {
        let first = match first_name(&file.path) {
            First::Name(first) => first,
            First::None => return Some(HashSet::new()),
            First::NotYet => return None,
        };
        let family = self.folder(file).families.entry(first).or_default();
        // One that has come since the folder was looked at.
        if family.len() < MAX_FAMILY && !family.iter().any(|path| path.file_name() == file.path.file_name()) {
            family.push(file.path.clone());
        }
        let family: Vec<Found> = family.iter().filter_map(|path| Found::at(path.clone())).collect();
        let own = family.iter().find(|one| one.stem() == file.stem());
        let Some(own) = own.filter(|_| family.len() > 1) else { return Some(HashSet::new()) };
        family.iter().for_each(|file| self.read(file));
        let others = family.iter().filter(|other| other.stem() != own.stem());
        let made = others.filter(|other| was_there_before(&other.path) || self.has_made(other, own));
        let rows = made.filter_map(|other| self.rows(other));
        Some(rows.flat_map(|rows| rows.rows.iter().map(|(name, _)| *name)).collect())
    }

    /// The sessions that have transcripts in the same folder, this one among them.
    pub(super) fn sessions(&mut self, file: &Found) -> Arc<HashSet<String>> {
        let folder = self.folder(file);
        if !folder.sessions.contains(file.stem()) {
            Arc::make_mut(&mut folder.sessions).insert(file.stem().to_owned());
        }
        Arc::clone(&folder.sessions)
    }

    fn folder(&mut self, file: &Found) -> &mut Folder {
        let folder = match file.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        self.folders.entry(folder.to_path_buf()).or_insert_with_key(|folder| Folder::of(folder))
    }

    /// Whether what stands in this file and in another session's was made in this one.
    fn has_made(&self, this: &Found, other: &Found) -> bool {
        let Some((these, others)) = self.rows(this).zip(self.rows(other)) else { return false };
        // A copy may say what it is a copy of, or have kept the session's id.
        let is_of = |rows: &Rows, file: &Found| {
            [&rows.forked_from, &rows.session].into_iter().any(|told| told.as_deref() == Some(file.stem()))
        };
        let (of_this, of_other) = (is_of(others, this), is_of(these, other));
        if of_this != of_other {
            return of_this;
        }
        // Else it was made where nothing follows it, or what follows it sooner.
        match (these.go_on_at(others), others.go_on_at(these)) {
            (None, Some(_)) => true,
            (Some(_), None) => false,
            (None, None) => (this.modified, this.stem()) < (other.modified, other.stem()),
            (Some(here), Some(there)) => (here, this.stem()) < (there, other.stem()),
        }
    }

    fn read(&mut self, file: &Found) {
        let is_known =
            self.files.get(&file.path).is_some_and(|(at, bytes, _)| (*at, *bytes) == (file.modified, file.bytes));
        if !is_known {
            self.files.insert(file.path.clone(), (file.modified, file.bytes, Rows::of(&file.path)));
        }
    }

    fn rows(&self, file: &Found) -> Option<&Rows> {
        self.files.get(&file.path).map(|(_, _, rows)| rows)
    }
}

impl Rows {
    fn of(path: &Path) -> Self {
        let (mut read, mut tape) = (Self::default(), Tape::default());
        each(path, &mut tape, MAX_ROWS, |name, row| {
            let Some(name) = row_name(name) else { return true };
            if read.rows.is_empty() {
                read.session = row.word("sessionId").map(str::to_owned);
            }
            if read.forked_from.is_none() {
                let from = row.get("forkedFrom").and_then(|from| from.word("sessionId"));
                read.forked_from = from.map(str::to_owned);
            }
            read.rows.push((name, row.word("timestamp").and_then(unix_nanos).unwrap_or_default()));
            true
        });
        read
    }

    /// When the first row was made that others do not have.
    fn go_on_at(&self, others: &Self) -> Option<u64> {
        let others: HashSet<u128> = others.rows.iter().map(|(name, _)| *name).collect();
        self.rows.iter().find(|(name, _)| !others.contains(name)).map(|(_, at)| *at)
    }
}

impl Folder {
    fn of(folder: &Path) -> Self {
        let (mut families, mut sessions) = (HashMap::<_, Vec<PathBuf>>::new(), HashSet::new());
        for path in transcripts_in(folder) {
            sessions.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
            if let First::Name(name) = first_name(&path) {
                let family = families.entry(name).or_default();
                if family.len() < MAX_FAMILY {
                    family.push(path);
                }
            }
        }
        Self { families, sessions: Arc::new(sessions) }
    }
}

/// The name of the first row that has one.
enum First {
    Name(u128),
    /// It has another one than rows of Claude Code have, or none is to be expected.
    None,
    NotYet,
}

fn first_name(path: &Path) -> First {
    let mut first = First::NotYet;
    let looked = each(path, &mut Tape::default(), FIRST, |name, _| {
        first = row_name(name).map_or(First::None, First::Name);
        false
    });
    if looked >= FIRST && matches!(first, First::NotYet) { First::None } else { first }
}

/// Looks at the rows that have names among so many lines, for as long as it is wanted; gives how many lines there were.
fn each(path: &Path, tape: &mut Tape, most: usize, mut look: impl FnMut(&str, Node<'_>) -> bool) -> usize {
    let mut looked = 0;
    for mut line in hooked::lines(path).into_iter().flatten().take(most) {
        let goes_on = simdutf8::basic::from_utf8(&line).ok().and_then(|text| {
            tape.read(text, Escapes::Left, |row| row.word("uuid").is_none_or(|name| look(name, row))).ok()
        });
        crate::event::wipe(&mut line);
        looked += 1;
        if goes_on == Some(false) {
            break;
        }
    }
    looked
}
