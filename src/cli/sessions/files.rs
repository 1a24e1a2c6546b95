//! Where agents keep their sessions, and what a path, a session's id or `latest` means.
//!
//! No symbolic link is followed, neither to a file nor to a folder, and no more than [`MAX_FILES`] files are looked at.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::super::Failure;
use super::kin;
use crate::environment::Environment;

/// The files of one folder and all below it.
const MAX_FILES: usize = 1 << 17;
const MAX_DEPTH: usize = 8;
/// The ancestors of a session that are looked for.
const MAX_ANCESTORS: usize = 64;
/// A file in which hooks were recorded; transcripts of the same sessions stand in folders beside it.
pub(in crate::cli) const EVENTS: &str = "events.ndjson";

/// How long after the last row a session may go on: a person may be asked in the evening and answer in the morning.
const GOES_ON: Duration = Duration::from_secs(24 * 60 * 60);

/// Whose sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Agent {
    Codex,
    ClaudeCode,
    Ouroboros,
}

/// A session file that was found.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Found {
    pub(in crate::cli) path: PathBuf,
    pub(in crate::cli) modified: SystemTime,
    pub(in crate::cli) bytes: u64,
    /// It is read for what its descendants' files copied of it, and nothing of it is told.
    pub(in crate::cli) is_history: bool,
}

impl Found {
    pub(in crate::cli) fn at(path: PathBuf) -> Option<Self> {
        let found = std::fs::symlink_metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
        let modified = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Some(Self { path, modified, bytes: found.len(), is_history: false })
    }

    /// Whether nobody has written it for so long that nobody will, when it is now this time.
    pub(in crate::cli) fn is_over(&self, unix_nanos: u64) -> bool {
        let modified = self.modified.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |at| at.as_nanos());
        u128::from(unix_nanos).saturating_sub(modified) >= GOES_ON.as_nanos()
    }

    /// The file's own name, without its endings.
    pub(in crate::cli) fn stem(&self) -> &str {
        let name = self.name();
        name.strip_suffix(".jsonl").unwrap_or(name)
    }

    /// The id of a session of Codex, which its file's name ends with.
    pub(in crate::cli) fn id(&self) -> &str {
        let stem = self.stem();
        stem.get(stem.len().saturating_sub(36)..).unwrap_or(stem)
    }

    /// Whether the file's name ends with this id.
    fn is_of(&self, id: &str) -> bool {
        self.stem().strip_suffix(id).is_some_and(|rest| rest.is_empty() || rest.ends_with('-'))
    }

    /// The file's own name, as it is when it is not compressed.
    pub(in crate::cli) fn name(&self) -> &str {
        let name = self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.strip_suffix(".zst").unwrap_or(name)
    }
}

impl Agent {
    /// The folder of all sessions.
    pub(in crate::cli) fn home(self) -> Option<PathBuf> {
        let environment = Environment::from_process();
        let (variable, below, sessions) = match self {
            Self::Codex => ("CODEX_HOME", ".codex", "sessions"),
            Self::ClaudeCode => ("CLAUDE_CONFIG_DIR", ".claude", "projects"),
            // Its journal is a database; it is exported to where one likes.
            Self::Ouroboros => return None,
        };
        let own = environment.otel(variable).map(PathBuf::from);
        let home = own.or_else(|| environment.otel("HOME").map(|home| Path::new(home).join(below)));
        home.map(|home| home.join(sessions))
    }

    /// The session files of a folder, oldest name first. Transcripts of sub-agents belong to their session.
    pub(in crate::cli) fn below(self, folder: &Path) -> Vec<Found> {
        let mut found = Vec::new();
        walk(folder, 0, &mut |path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_one = match self {
                Self::Codex => {
                    name.starts_with("rollout-") && (name.ends_with(".jsonl") || name.ends_with(".jsonl.zst"))
                }
                Self::Ouroboros => name.ends_with(".jsonl") || name.ends_with(".ndjson"),
                Self::ClaudeCode => name == EVENTS || is_transcript(name),
            };
            if is_one && found.len() < MAX_FILES {
                found.extend(Found::at(path));
            }
        });
        found.sort_by(|one, other| (one.name(), &one.path).cmp(&(other.name(), &other.path)));
        found
    }

    /// The files that an argument names. The file of a sub-agent or of a fork of Codex brings those of its ancestors with
    /// it: they tell which call has started it, and which of its rows are theirs.
    pub(in crate::cli) fn resolve(self, given: &Path) -> Result<Vec<Found>, Failure> {
        let mut files = self.named(given)?;
        let [file] = files.as_slice() else { return Ok(files) };
        let Some(kin) = Some(file).filter(|_| self == Self::Codex).and_then(kin::of) else { return Ok(files) };
        let (mut known, mut wanted) = (vec![kin.id], kin.ancestors);
        let mut near: Option<Vec<Found>> = None;
        while let Some(id) = wanted.pop().filter(|_| known.len() <= MAX_ANCESTORS) {
            if known.contains(&id) {
                continue;
            }
            let found = near.get_or_insert_with(|| self.near(&files)).iter().find(|near| near.is_of(&id));
            wanted.extend(found.and_then(kin::of).into_iter().flat_map(|kin| kin.ancestors));
            files.splice(..0, found.cloned());
            known.push(id);
        }
        Ok(files)
    }

    /// The sessions beside these, and those of the agent's own folder.
    fn near(self, files: &[Found]) -> Vec<Found> {
        let here =
            |folder: &Path| if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_path_buf() };
        let beside = files.iter().filter_map(|file| file.path.parent()).flat_map(|folder| self.below(&here(folder)));
        beside.chain(self.home().into_iter().flat_map(|home| self.below(&home))).collect()
    }

    fn named(self, given: &Path) -> Result<Vec<Found>, Failure> {
        let missing = |what: &str| Failure::BadData(format!("{}: {what}", given.display()));
        if let Ok(found) = std::fs::symlink_metadata(given) {
            if found.is_symlink() {
                return Err(missing("a symbolic link is not followed; name the file itself"));
            }
            if found.is_dir() {
                let all = self.below(given);
                return if all.is_empty() { Err(missing("there is no session in this folder")) } else { Ok(all) };
            }
            return Found::at(given.to_path_buf()).map(|file| vec![file]).ok_or_else(|| missing("is no plain file"));
        }
        let id = given.to_str().filter(|id| !id.is_empty() && !id.contains(['/', '\\']) && !id.contains(".."));
        let Some(id) = id else { return Err(missing("there is no such file")) };
        let home = self
            .home()
            .ok_or_else(|| Failure::Usage("it is not known where sessions are kept: name a path".to_owned()))?;
        let all = self.below(&home);
        if id == "latest" {
            let newest = all.into_iter().max_by_key(|file| file.modified);
            return newest.map(|file| vec![file]).ok_or_else(|| missing("there is no session"));
        }
        let is_it = |file: &Found| match self {
            Self::Codex => file.is_of(id),
            Self::ClaudeCode | Self::Ouroboros => file.stem() == id,
        };
        let mut named: Vec<Found> = all.into_iter().filter(is_it).collect();
        match (named.pop(), named.is_empty()) {
            (Some(one), true) => Ok(vec![one]),
            (Some(_), false) => Err(missing("several sessions have this id; name the file")),
            // Where only hooks told of it their journal is all there is.
            (None, _) => {
                let journal = super::hooked::journal(id).filter(|_| self == Self::ClaudeCode).and_then(Found::at);
                journal
                    .map(|journal| vec![journal])
                    .ok_or_else(|| missing("there is no file and no session of this name"))
            }
        }
    }
}

/// Each file once, however often it was named.
pub(in crate::cli) fn distinct(mut files: Vec<Found>) -> Vec<Found> {
    let mut known = HashSet::new();
    files.retain(|file| known.insert(std::fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone())));
    files
}

/// The transcripts of a session's sub-agents, each with the agent's id.
pub(in crate::cli) fn sub_agents(session: &Found) -> Vec<(String, Found)> {
    let Some(folder) = session.path.parent() else { return Vec::new() };
    let mut agents = Vec::new();
    walk(&folder.join(session.stem()).join("subagents"), MAX_DEPTH, &mut |path| {
        let Some(found) = Found::at(path) else { return };
        let id = found.stem().strip_prefix("agent-").filter(|_| found.name().ends_with(".jsonl")).map(str::to_owned);
        if let Some(id) = id.filter(|_| agents.len() < MAX_FILES) {
            agents.push((id, found));
        }
    });
    agents.sort_by(|(one, _), (other, _)| one.cmp(other));
    agents
}

/// The transcripts of Claude Code that stand in a folder itself, by name.
pub(super) fn transcripts_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(folder, MAX_DEPTH, &mut |path| {
        if path.file_name().and_then(|name| name.to_str()).is_some_and(is_transcript) {
            found.push(path);
        }
    });
    found
}

/// Whether Claude Code calls the transcript of a session so; those of sub-agents have names of their own.
fn is_transcript(name: &str) -> bool {
    name.ends_with(".jsonl") && !name.starts_with("agent-")
}

fn walk(folder: &Path, depth: usize, take: &mut impl FnMut(PathBuf)) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries.flatten().take(MAX_FILES).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth < MAX_DEPTH => walk(&entry.path(), depth + 1, take),
            Ok(kind) if kind.is_file() => take(entry.path()),
            _ => {}
        }
    }
}
