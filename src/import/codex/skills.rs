//! Skills: texts that an agent reads when a person names them, or by itself.

use std::sync::LazyLock;

use memchr::memchr;
use memchr::memmem::Finder;

/// Notes the skills that a text names: `$name`, `/skills name`, `skill://name`, the path of a skill's file, or a fragment
/// `<skill name="…">`.
pub(super) fn mentioned(text: &str, skills: &mut Vec<String>) {
    const MOST: usize = 64;
    let names_a_file = FILES.find(text.as_bytes()).is_some();
    let names_any = || memchr(b'$', text.as_bytes()).is_some() || WORDS.find(text.as_bytes()).is_some();
    if !names_a_file && !names_any() {
        return;
    }
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let word = word.trim_start_matches(['(', '[', '{', '"', '\'', '`']);
        let found = if matches!(word, "/skills" | "/skill") {
            words.peek().copied().map(beginning)
        } else {
            word.strip_prefix('$')
                .or_else(|| word.strip_prefix("skill://"))
                .map(beginning)
                .or_else(|| if names_a_file { of_path(word) } else { None })
        };
        if let Some(name) = found.filter(|name| !name.is_empty() && skills.len() < MOST) {
            skills.push(name.to_owned());
        }
    }
    let tags = text.split("<skill ").skip(1).filter_map(|rest| rest.split_once('>'));
    let named =
        tags.filter_map(|(tag, _)| tag.split_once("name=")).map(|(_, name)| beginning(name.trim_start_matches('"')));
    skills.extend(named.filter(|name| !name.is_empty()).take(MOST.saturating_sub(skills.len())).map(str::to_owned));
}

/// The skill that a call reads.
pub(super) fn loaded<'a>(tool: &str, arguments: &'a str) -> Option<&'a str> {
    if tool == "skills.read" {
        let name = arguments.split("\"name\"").nth(1)?.split('"').nth(1)?;
        return Some(beginning(name)).filter(|name| !name.is_empty());
    }
    of_path(arguments).or_else(|| of_script(arguments))
}

/// What a skill's own file is called.
static FILES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("SKILL.md"));
/// What each way to name one has that is neither a variable nor a file.
static WORDS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("skill"));
const SCRIPTS: &str = "scripts";
static FOLDERS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(SCRIPTS));

/// The folder of a skill's file.
fn of_path(text: &str) -> Option<&str> {
    let path = text.get(..FILES.find(text.as_bytes())?)?;
    last_folder(path).map(|(_, name)| name)
}

/// The folder of a script in a folder of skills: other projects have scripts too.
fn of_script(text: &str) -> Option<&str> {
    FOLDERS.find_iter(text.as_bytes()).find_map(|place| {
        if !text.get(place + SCRIPTS.len()..)?.starts_with(SEPARATORS) {
            return None;
        }
        let (before, name) = last_folder(text.get(..place)?)?;
        last_folder(before).filter(|(_, folder)| *folder == "skills").map(|_| name)
    })
}

/// In JSON one of the second kind stands twice.
const SEPARATORS: [char; 2] = ['/', '\\'];

/// The last folder of a path that ends with a separator, and what stands before it.
fn last_folder(path: &str) -> Option<(&str, &str)> {
    let folders = path.trim_end_matches(SEPARATORS);
    let start = folders.rfind(|symbol: char| !is_name(symbol)).map_or(0, |place| place + 1);
    let name = folders.get(start..).filter(|name| !name.is_empty() && folders.len() < path.len())?;
    Some((path.get(..start)?, name))
}

const fn is_name(symbol: char) -> bool {
    symbol.is_ascii_alphanumeric() || matches!(symbol, '-' | '_')
}

fn beginning(word: &str) -> &str {
    let end = word.find(|symbol: char| !is_name(symbol)).unwrap_or(word.len());
    word.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skill_is_named_in_several_ways_and_a_bare_command_names_none() {
        let mut skills = Vec::new();
        mentioned("please $review, /skills deploy skill://notes and skills/lint/SKILL.md; /skills", &mut skills);
        assert_eq!(skills, ["review", "deploy", "notes", "lint"]);
        assert_eq!(loaded("shell", r#"{"command":["cat","skills/review/SKILL.md"]}"#), Some("review"));
        assert_eq!(loaded("skills.read", r#"{"name":"review"}"#), Some("review"));
        assert_eq!(loaded("shell", r#"{"command":["cat","SKILL.md"]}"#), None);
        assert_eq!(loaded("shell", r#"{"command":["type","C:\\skills\\review\\SKILL.md"]}"#), Some("review"));
        for script in ["python skills/review/scripts/run.py", r#"{"cmd":"/home/me/.codex/skills/review/scripts/run"}"#]
        {
            assert_eq!(loaded("shell", script), Some("review"), "{script}");
        }
        for none in
            ["bash scripts/run.sh", "project/scripts/run.sh", "skills/scripts/run.sh", "skills/review/scriptsx/a"]
        {
            assert_eq!(loaded("shell", none), None, "{none}");
        }
        skills.clear();
        mentioned(r#"use ($review) or skills\lint\SKILL.md <skill name="notes"> <skill path="x">"#, &mut skills);
        assert_eq!(skills, ["review", "lint", "notes"]);
    }
}
