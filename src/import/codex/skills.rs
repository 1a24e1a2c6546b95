//! Skills: texts that an agent reads when a person names them, or by itself.

/// Notes the skills that a text names: `$name`, `/skills name`, `skill://name`, or the path of a skill's file.
pub(super) fn mentioned(text: &str, skills: &mut Vec<String>) {
    const MOST: usize = 64;
    let names_a_file = text.contains(FILE);
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
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
}

/// The skill that a call reads.
pub(super) fn loaded<'a>(tool: &str, arguments: &'a str) -> Option<&'a str> {
    if tool == "skills.read" {
        let name = arguments.split("\"name\"").nth(1)?.split('"').nth(1)?;
        return Some(beginning(name)).filter(|name| !name.is_empty());
    }
    of_path(arguments)
}

/// What the path of a skill's file ends with.
const FILE: &str = "/SKILL.md";

/// The folder of a skill's file.
fn of_path(text: &str) -> Option<&str> {
    let (before, _) = text.split_once(FILE)?;
    let start = before.rfind(|symbol: char| !is_name(symbol)).map_or(0, |place| place + 1);
    before.get(start..).filter(|name| !name.is_empty())
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
    }
}
