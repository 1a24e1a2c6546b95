//! `${env:NAME}` and `${env:NAME:-default}`, as the Collector has them.

use serde_json::Value;

/// Reads an environment variable.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces what stands for a variable in every text. Answers the name of a variable that has no value.
pub(super) fn all(value: &mut Value, variables: Variables<'_>) -> Result<(), String> {
    match value {
        Value::String(text) => *text = in_text(text, variables)?,
        Value::Array(values) => values.iter_mut().try_for_each(|value| all(value, variables))?,
        Value::Object(map) => map.values_mut().try_for_each(|value| all(value, variables))?,
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

fn in_text(text: &str, variables: Variables<'_>) -> Result<String, String> {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${env:") {
        let Some((reference, behind)) = after.split_once('}') else { break };
        let (name, default) = match reference.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (reference, None),
        };
        // The empty value counts as unset, as in a shell's `:-`.
        let set = variables(name).filter(|value| !value.is_empty());
        let value = set.or_else(|| default.map(str::to_owned)).ok_or_else(|| name.to_owned())?;
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
        assert_eq!(in_text("${env:B}", &set).unwrap_err(), "B");
        assert_eq!(in_text("${env:A", &set).unwrap(), "${env:A");
        assert_eq!(in_text("$A ${A}", &set).unwrap(), "$A ${A}");
    }
}
