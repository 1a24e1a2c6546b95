//! Policy files: one `class: level` a line, which is YAML, read alike with and without a YAML parser in the build.
//!
//! ```yaml
//! content: digest        # everything that is not named
//! prompts: preview
//! tool_results: none
//! ```
//!
//! What is not of this form is not understood, and means `none`: a line that nobody could read may have been meant to be
//! stricter.

use std::path::Path;

use super::levels::Origin;
use super::resolve::Said;
use crate::environment::{Environment, Setting, Warning};
use crate::privacy::Level;
use crate::privacy::level::Strength;
use crate::privacy::secure_file::{self, Links};
use crate::semconv::Field;

/// The operator's own file, above code and environment. Each of its levels is a ceiling.
pub(super) const OPERATOR: &str = "/etc/veilspan/policy.yaml";

/// A longer file is no policy.
const MAX_BYTES: u64 = 64 << 10;

/// What the file that `VEILSPAN_POLICY_FILE` names says.
pub(super) fn named(environment: &Environment, warnings: &mut Vec<Warning>) -> Said {
    const NAME: &str = "VEILSPAN_POLICY_FILE";
    let path = match environment.get(NAME) {
        Setting::Unset => return Said::default(),
        Setting::Set(path) => path.trim(),
        Setting::NotUnicode => "",
    };
    let bytes = secure_file::read(Path::new(path), MAX_BYTES, Links::Followed, |_| true);
    said(NAME, bytes.ok().as_deref(), Origin::PolicyFile, warnings)
}

/// What the operator's file says, which has to be `owner`'s.
pub(super) fn operators(path: &Path, owner: u32, warnings: &mut Vec<Warning>) -> Said {
    let is_trusted = |metadata: &std::fs::Metadata| secure_file::is_writable_by(owner, metadata);
    match secure_file::read(path, MAX_BYTES, Links::Followed, is_trusted) {
        Err(secure_file::ReadError::Missing) => Said::default(),
        bytes => said(OPERATOR, bytes.ok().as_deref(), Origin::OperatorFile, warnings),
    }
}

fn said(name: &str, bytes: Option<&[u8]>, origin: Origin, warnings: &mut Vec<Warning>) -> Said {
    const UNREADABLE: &str = "the policy file cannot be used: it needs an absolute path, a plain file of at most 64 KiB and, \
         under /etc, root as the only one who may write it; taken for `none`";
    let Some(bytes) = bytes else {
        warnings.push(Warning::new(name, "", UNREADABLE));
        return nothing(origin);
    };
    match parse(bytes, origin) {
        Ok(said) => said,
        Err(line) => {
            let message = format!(
                "line {line} of the policy file is not `class: level`, with `content` or a class that stands there once \
                 and one of `none`, `digest`, `preview`, `masked`, `full`; the file is taken for `none`"
            );
            warnings.push(Warning::new(name, &line.to_string(), message));
            nothing(origin)
        }
    }
}

fn nothing(origin: Origin) -> Said {
    let mut said = Said::default();
    said.general(Level::None.into(), origin);
    said
}

/// What a file says, or the line that is not understood.
fn parse(bytes: &[u8], origin: Origin) -> Result<Said, usize> {
    let text = std::str::from_utf8(bytes).map_err(|_| 1_usize)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut said = Said::default();
    let mut seen = Vec::new();
    for (place, line) in text.lines().enumerate() {
        let content = without_comment(line).trim_end();
        if content.is_empty() || (content == "---" && seen.is_empty()) {
            continue;
        }
        let (key, strength) = entry(content).ok_or(place + 1)?;
        if seen.contains(&key) {
            return Err(place + 1);
        }
        seen.push(key);
        match key {
            Some(class) => said.class(class, strength, origin),
            None => said.general(strength, origin),
        }
    }
    Ok(said)
}

/// A class, or nothing for `content`, and what is said of it.
fn entry(line: &str) -> Option<(Option<Field>, Strength)> {
    let (key, value) = line.split_once(':')?;
    let class = match key {
        "content" => None,
        key => Some(Field::ALL.into_iter().find(|class| class.as_str() == key)?),
    };
    let value = value.strip_prefix([' ', '\t'])?.trim();
    let unquoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    Some((class, Strength::from_word(unquoted.unwrap_or(value))?))
}

/// A comment begins at the start of a line, or after a blank.
fn without_comment(line: &str) -> &str {
    let starts = |(place, _): &(usize, &str)| {
        line.get(..*place).is_none_or(|before| before.is_empty() || before.ends_with([' ', '\t']))
    };
    let comment = line.match_indices('#').find(starts);
    comment.and_then(|(place, _)| line.get(..place)).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::policy::resolve::Sources;

    fn levels(text: &str) -> Result<[Level; 3], usize> {
        let said = [parse(text.as_bytes(), Origin::PolicyFile)?, Said::default(), Said::default()];
        let sources = Sources { said, limits: Vec::new(), has_detectors: true };
        let classes = sources.classes();
        Ok([sources.general().0, classes[1].level, classes[5].level])
    }

    #[test]
    fn a_class_a_line_with_comments_and_quotes_is_understood() {
        use Level::{Digest, Masked, None, Preview};
        assert_eq!(levels(""), Ok([Digest; 3]));
        assert_eq!(levels("# nothing\n\n"), Ok([Digest; 3]));
        assert_eq!(levels("content: none\r\n"), Ok([None; 3]));
        assert_eq!(
            levels("---\ncontent: masked  # all\nprompts: 'on'\ntool_results:\t\"NONE\"\n"),
            Ok([Masked, Preview, None])
        );
    }

    #[test]
    fn a_line_that_is_anything_else_is_named_by_its_number() {
        for (line, text) in [
            (1, "contents: none"),
            (2, "content: digest\nprompt: none"),
            (2, "content: digest\n  prompts: none"),
            (1, "content:none"),
            (1, "content: "),
            (1, "content: 42"),
            (1, "content: masked#"),
            (2, "content: digest\ncontent: full"),
            (2, "content: digest\n---\nprompts: full"),
            (1, "{content: none}"),
            (1, "content: &a none"),
            (1, "content"),
        ] {
            assert_eq!(levels(text), Err(line), "{text}");
        }
        assert_eq!(parse(b"content: \xff", Origin::PolicyFile).map(|_| ()), Err(1));
    }
}
