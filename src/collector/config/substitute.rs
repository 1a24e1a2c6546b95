//! `${env:NAME}` and `${env:NAME:-default}`, as the Collector has them, and `$${` where `${` itself is meant.

use super::document::{Node, Value};
use super::error::ConfigError;

/// Reads an environment variable.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces what stands for a variable in every text.
pub(super) fn all(node: &mut Node, variables: Variables<'_>) -> Result<(), ConfigError> {
    match &mut node.value {
        Value::Text { text, is_variable } => {
            let replaced = in_text(text, variables).map_err(|odd| odd.at(node.line))?;
            *is_variable = is_one_variable(text);
            *text = replaced;
        }
        Value::List(values) => values.iter_mut().try_for_each(|value| all(value, variables))?,
        Value::Map(entries) => entries.iter_mut().try_for_each(|(_, value)| all(value, variables))?,
        Value::Nothing | Value::Flag(_) | Value::Number(_) => {}
    }
    Ok(())
}

/// Whether a text is one variable without a default: what it says was not written into the file.
fn is_one_variable(text: &str) -> bool {
    let name = text.strip_prefix("${env:").and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(is_name)
}

fn is_name(name: &str) -> bool {
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_word && !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// Why a text cannot be what it says.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
enum Odd {
    /// The variable of this name is not set.
    Unset(String),
    /// Something else stands behind `${` than a variable's name, or no end of it.
    NotAVariable,
}

impl Odd {
    fn at(&self, line: u64) -> ConfigError {
        match self {
            // A name is repeated only where it looks like one: what stands between the braces may be anything.
            Self::Unset(name) => {
                let place = if is_name(name) { name } else { "a variable" };
                let problem = "not set in the environment, and without a default (`${env:NAME:-default}`)";
                ConfigError::new(Some(line), place, problem)
            }
            Self::NotAVariable => ConfigError::new(
                Some(line),
                "a variable",
                "expected `${env:NAME}`, or `$${` for these signs themselves",
            ),
        }
    }
}

fn in_text(text: &str, variables: Variables<'_>) -> Result<String, Odd> {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            replaced.push_str(before);
            replaced.push_str("${");
            rest = after;
            continue;
        }
        let reference = after.strip_prefix("env:").and_then(|after| after.split_once('}'));
        let (reference, behind) = reference.ok_or(Odd::NotAVariable)?;
        let (name, default) = match reference.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (reference, None),
        };
        // The empty value counts as unset, as in a shell's `:-`.
        let set = variables(name).filter(|value| !value.is_empty());
        let value = set.or_else(|| default.map(str::to_owned)).ok_or_else(|| Odd::Unset(name.to_owned()))?;
        replaced.push_str(before);
        replaced.push_str(&value);
        rest = behind;
    }
    replaced.push_str(rest);
    Ok(replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_defaults_and_plain_text_stand_side_by_side() {
        let set = |name: &str| (name == "A").then(|| "1".to_owned());
        assert_eq!(in_text("x${env:A}y${env:B:-2}z", &set).unwrap(), "x1y2z");
        assert_eq!(in_text("http://${env:B:-h:1}", &set).unwrap(), "http://h:1");
        assert_eq!(in_text("$A $${A} $$${env:A}", &set).unwrap(), "$A ${A} $${env:A}");
        assert_eq!(in_text("${env:B}", &set), Err(Odd::Unset("B".to_owned())));
        assert!(
            ["${env:A", "${A}", "${file:A}", "${"].iter().all(|text| in_text(text, &set) == Err(Odd::NotAVariable))
        );
        assert!(is_one_variable("${env:A_1}"));
        assert!(
            ["${env:A:-x}", "x${env:A}", "${env:A}${env:B}", "${env:}", "a"].iter().all(|text| !is_one_variable(text))
        );
    }
}
