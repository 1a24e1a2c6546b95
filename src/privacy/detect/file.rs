//! A file of rules, as YAML of one form, read alike whether or not a YAML parser is in the build.
//!
//! ```yaml
//! enable: [ip-address]           # rules that are there and off
//! disable: [phone]               # rules that are there and on
//! rules:
//!   - name: employee-id          # a name that is there already replaces that rule
//!     pattern: 'EMP-[0-9]{6}'    # of the crate regex, on bytes: classes are ASCII's
//!     keywords: [emp-]           # looked for in any case; without them every text is searched
//!     entropy: 3.0               # bits for each byte of a hit, at least
//! ```
//!
//! Texts are plain, 'single' or "double" quoted and stand on one line; lists stand in brackets on one line.
//! Errors name the line and what is allowed there, never what stands there.

use bytestring::ByteString;

use super::mark;
use super::rule::{self, Rule};
use super::user::UserRule;
use crate::privacy::label::is_label;

/// The longest file, in bytes.
pub(super) const MAX_BYTES: usize = 256 << 10;
/// The most rules of one file.
const MAX_RULES: usize = 256;
/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 4 << 10;
/// The most keywords of one rule, and the shortest and longest of them in bytes.
const MAX_KEYWORDS: usize = 64;
const MIN_KEYWORD: usize = 3;
const MAX_KEYWORD: usize = 128;

/// A file of rules that cannot be used. Shows the line, and nothing of what stands there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the rules: {problem}")]
pub struct RulesError {
    line: usize,
    problem: &'static str,
}

impl RulesError {
    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// What is wrong, and what is allowed.
    pub fn problem(&self) -> &'static str {
        self.problem
    }
}

/// The rules that a file leaves switched on, and those that it brings.
pub(super) struct Chosen {
    pub(super) rules: Vec<Rule>,
    pub(super) user: Vec<UserRule>,
}

/// What is being read of a rule.
#[derive(Default)]
struct Draft {
    line: usize,
    name: Option<String>,
    pattern: Option<(usize, String)>,
    keywords: Option<Vec<String>>,
    entropy: Option<f32>,
}

const TOP: &str = "not a setting; allowed are `enable: [names]`, `disable: [names]` and `rules:`, each once";
const IN_RULE: &str = "not part of a rule; allowed are `name`, `pattern`, `keywords` and `entropy`, each once, two blanks deeper \
     than the dash before the first";
const LIST: &str = "not a list in brackets on one line, such as `[one, two]`";
const TEXT: &str = "not a text on one line: plain, or in 'single' or \"double\" quotes";

pub(super) fn parse(text: &str, builtin: Vec<Rule>, off: Vec<Rule>) -> Result<Chosen, RulesError> {
    let error = |line, problem| RulesError { line, problem };
    if text.len() > MAX_BYTES {
        return Err(error(1, "the file is longer than 256 KiB"));
    }
    let mut enabled: Option<Vec<String>> = None;
    let mut disabled: Option<Vec<String>> = None;
    let mut drafts: Vec<Draft> = Vec::new();
    let mut in_rules = false;
    let mut seen_rules = false;
    let known = |name: &String| builtin.iter().chain(&off).any(|rule| rule.name == name.as_str());
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim_end();
        let bare = content.trim_start();
        if bare.is_empty() || bare.starts_with('#') || (content == "---" && line == 1) {
            continue;
        }
        let indented = bare.len() < content.len();
        let wrong = |problem| error(line, problem);
        if !indented && !bare.starts_with("- ") {
            in_rules = false;
            let (key, value) = bare.split_once(':').ok_or_else(|| wrong(TOP))?;
            let list = match key {
                "rules" if !seen_rules && is_nothing(value) => {
                    (in_rules, seen_rules) = (true, true);
                    continue;
                }
                "enable" if enabled.is_none() => &mut enabled,
                "disable" if disabled.is_none() => &mut disabled,
                _ => return Err(wrong(TOP)),
            };
            let names = flow_list(value).ok_or_else(|| wrong(LIST))?;
            if !names.iter().all(known) {
                return Err(wrong(
                    "a name of no rule that is there; a rule's name is what stands in `[redacted:<rule>]`",
                ));
            }
            *list = Some(names);
            continue;
        }
        if !in_rules {
            return Err(wrong(TOP));
        }
        let entry = match bare.strip_prefix("- ") {
            Some(first) => {
                if drafts.len() == MAX_RULES {
                    return Err(wrong("more than 256 rules"));
                }
                drafts.push(Draft { line, ..Draft::default() });
                first.trim_start()
            }
            None => bare,
        };
        let draft = drafts.last_mut().ok_or_else(|| wrong(IN_RULE))?;
        let (key, value) = entry.split_once(':').ok_or_else(|| wrong(IN_RULE))?;
        match key {
            "name" if draft.name.is_none() => {
                let name = scalar(value).filter(|name| is_label(name) && name.len() <= mark::LONGEST_NAME);
                draft.name = Some(name.ok_or_else(|| wrong("not a name of at most 64 letters, digits and `._:/@+-`"))?);
            }
            "pattern" if draft.pattern.is_none() => {
                let pattern = scalar(value).ok_or_else(|| wrong(TEXT))?;
                if pattern.is_empty() || pattern.len() > MAX_PATTERN {
                    return Err(wrong("a pattern has 1 to 4096 bytes"));
                }
                draft.pattern = Some((line, pattern));
            }
            "keywords" if draft.keywords.is_none() => {
                let words = flow_list(value).ok_or_else(|| wrong(LIST))?;
                if words.len() > MAX_KEYWORDS
                    || words.iter().any(|word| !(MIN_KEYWORD..=MAX_KEYWORD).contains(&word.len()))
                {
                    return Err(wrong("a rule has at most 64 keywords, of 3 to 128 bytes each"));
                }
                draft.keywords = Some(words);
            }
            "entropy" if draft.entropy.is_none() => {
                let bits = scalar(value).and_then(|value| value.parse::<f32>().ok());
                let bits = bits.filter(|bits| (0.0..=8.0).contains(bits));
                draft.entropy = Some(bits.ok_or_else(|| wrong("entropy is a number from 0 to 8"))?);
            }
            _ => return Err(wrong(IN_RULE)),
        }
    }
    let mut user = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let rule = finished(draft)?;
        user.push(rule);
    }
    choose(builtin, off, &enabled.unwrap_or_default(), &disabled.unwrap_or_default(), user)
}

fn finished(draft: Draft) -> Result<UserRule, RulesError> {
    let error = |line, problem| RulesError { line, problem };
    let name = draft.name.ok_or_else(|| error(draft.line, "the rule has no `name`"))?;
    let (line, pattern) = draft.pattern.ok_or_else(|| error(draft.line, "the rule has no `pattern`"))?;
    const BAD: &str = "not a pattern of the crate regex (without look-around, back references and Unicode classes), or one that \
         compiles to more than 1 MiB";
    let regex = rule::compile(&pattern).ok_or_else(|| error(line, BAD))?;
    if regex.find("").is_some() {
        return Err(error(line, "the pattern matches the empty text"));
    }
    let keywords = draft.keywords.unwrap_or_default().into_iter().map(ByteString::from).collect();
    Ok(UserRule { name: name.into(), regex, keywords, entropy: draft.entropy.unwrap_or_default() })
}

fn choose(
    builtin: Vec<Rule>,
    off: Vec<Rule>,
    enabled: &[String],
    disabled: &[String],
    user: Vec<UserRule>,
) -> Result<Chosen, RulesError> {
    for (place, rule) in user.iter().enumerate() {
        if user.iter().skip(place + 1).any(|other| other.name == rule.name) {
            return Err(RulesError { line: 1, problem: "two rules have the same name" });
        }
    }
    let named = |names: &[String], rule: &Rule| names.iter().any(|name| rule.name == name.as_str());
    let replaced = |rule: &Rule| user.iter().any(|brought| brought.name == rule.name);
    let switched_on = off.into_iter().filter(|rule| named(enabled, rule));
    let rules = builtin.into_iter().chain(switched_on);
    let rules = rules.filter(|rule| !named(disabled, rule) && !replaced(rule)).collect();
    Ok(Chosen { rules, user })
}

/// What follows a text on its line: nothing, or a comment.
fn is_nothing(rest: &str) -> bool {
    let bare = rest.trim_start();
    bare.is_empty() || (bare.starts_with('#') && bare.len() < rest.len())
}

/// A text that stands alone on the rest of a line.
fn scalar(value: &str) -> Option<String> {
    let (text, rest) = one_scalar(value.strip_prefix(' ')?.trim_start(), "")?;
    is_nothing(rest).then_some(text)
}

/// `[a, 'b', "c"]`, and nothing behind.
fn flow_list(value: &str) -> Option<Vec<String>> {
    let mut rest = value.trim_start().strip_prefix('[')?.trim_start();
    let mut texts = Vec::new();
    loop {
        if let Some(behind) = rest.strip_prefix(']') {
            return is_nothing(behind).then_some(texts);
        }
        let (text, behind) = one_scalar(rest, ",]")?;
        texts.push(text);
        rest = behind.trim_start();
        match rest.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None if rest.starts_with(']') => {}
            None => return None,
        }
    }
}

/// The text at the beginning, and what is behind it. A plain one ends before any of `ends`.
fn one_scalar<'a>(text: &'a str, ends: &str) -> Option<(String, &'a str)> {
    if let Some(quoted) = text.strip_prefix('\'') {
        return single(quoted);
    }
    if let Some(quoted) = text.strip_prefix('"') {
        return double(quoted);
    }
    let plain_end = text.find(|byte: char| ends.contains(byte)).unwrap_or(text.len());
    let end = text.find(" #").map_or(plain_end, |comment| comment.min(plain_end));
    let (plain, rest) = text.split_at_checked(end)?;
    let plain = plain.trim_end();
    let first = plain.chars().next()?;
    // What YAML reads as something else than the text that it looks like.
    let special = "&*!|>%@`{}[],#?".contains(first) || plain.contains(": ") || plain.ends_with(':');
    (!special).then(|| (plain.to_owned(), rest))
}

fn single(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut rest = quoted;
    loop {
        let (before, after) = rest.split_once('\'')?;
        text.push_str(before);
        match after.strip_prefix('\'') {
            Some(after) => {
                text.push('\'');
                rest = after;
            }
            None => return Some((text, after)),
        }
    }
}

fn double(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((text, quoted.get(at + 1..)?)),
            '\\' => text.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                escaped @ ('"' | '\\' | '/') => escaped,
                _ => return None,
            }),
            _ => text.push(char),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::privacy::Detectors;

    fn line_of(file: &str) -> usize {
        Detectors::parse(file).expect_err("a bad file").line()
    }

    #[test]
    fn a_file_adds_replaces_and_switches_rules() {
        let file = "# ours\nenable: [ip-address]\ndisable: [email]\nrules:\n  - name: employee-id   # theirs\n    \
                    pattern: 'EMP-[0-9]{6}'\n    keywords: [emp-]\n  - name: jwt\n    pattern: \"J\\\\d+\"\n";
        let detectors = Detectors::parse(file).unwrap();
        let masked = detectors.mask("a@example.com EMP-123456 10.1.2.3 J77");
        assert_eq!(masked, "a@example.com [redacted:employee-id] [redacted:ip-address] [redacted:jwt]");
        assert!(!format!("{detectors:?}").contains("EMP"));
    }

    #[test]
    fn an_error_names_the_line_and_nothing_of_what_stands_there() {
        for (file, line) in [
            ("canary: 1", 1),
            ("enable: [canary]", 1),
            ("\nenable: canary", 2),
            ("rules:\n  - name: x\n    pattern: '(canary'\n", 3),
            ("rules:\n  - name: x\n    canary: 1\n", 3),
            ("rules:\n  - name: x\n", 2),
            ("rules:\n  - pattern: canary\n", 2),
            ("rules:\n  - name: x\n    pattern: '(?:canary{1000}){1000}'\n", 3),
            ("rules:\n  - name: x\n    pattern: c*\n", 3),
            ("rules:\n  - name: x\n    pattern: canary\n    keywords: [ca]\n", 4),
            ("rules:\n  - name: x\n    pattern: canary\n    entropy: canary\n", 4),
            ("rules:\nrules:\n", 2),
            ("  - name: canary", 1),
        ] {
            assert_eq!(line_of(file), line, "{file}");
            let error = Detectors::parse(file).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"), "{file}");
        }
        assert_eq!(line_of(&"#".repeat(300 << 10)), 1);
        assert!(Detectors::parse("").is_ok());
    }
}
