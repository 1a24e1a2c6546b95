//! Reading a map of the document: what is there, what may be there, and errors that say so.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use secrecy::SecretString;

use super::document::{Node, Value};
use super::error::{ConfigError, one_of, quoted};
use crate::privacy::is_label;

/// A map of the document, and where it stands.
pub(super) struct Section<'a> {
    place: String,
    line: Option<u64>,
    entries: &'a [(String, Node)],
}

impl<'a> Section<'a> {
    pub(super) fn root(document: &'a Node, allowed: &[&str]) -> Result<Self, ConfigError> {
        Self::new(String::new(), Some(document), Some(allowed))
    }

    /// A map in which only these keys may stand; any, where none are given.
    fn new(place: String, node: Option<&'a Node>, allowed: Option<&[&str]>) -> Result<Self, ConfigError> {
        let at = if place.is_empty() { "the file" } else { &place };
        let line = node.map(|node| node.line);
        let entries: &[(String, Node)] = match node.map(|node| &node.value) {
            None | Some(Value::Nothing) => &[],
            Some(Value::Map(entries)) => entries,
            Some(_) => return Err(ConfigError::new(line, at, "expected a map")),
        };
        if let Some(allowed) = allowed
            && let Some((_, odd)) = entries.iter().find(|(key, _)| !allowed.contains(&key.as_str()))
        {
            // The key itself may be anything, so it is not repeated.
            let problem = match allowed {
                [] => "no settings are allowed here".to_owned(),
                _ => format!("an unknown key; allowed are {}", quoted(allowed)),
            };
            return Err(ConfigError::new(Some(odd.line), at, problem));
        }
        Ok(Self { place, line, entries })
    }

    fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn place_of(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) }
    }

    /// Something is wrong with this section as a whole.
    pub(super) fn wrong(&self, problem: impl Into<String>) -> ConfigError {
        ConfigError::new(self.line, &self.place, problem)
    }

    /// Something is wrong with what stands under a key, or should.
    pub(super) fn wrong_at(&self, key: &str, problem: impl Into<String>) -> ConfigError {
        let line = self.get(key).map(|node| node.line).or(self.line);
        ConfigError::new(line, &self.place_of(key), problem)
    }

    /// The map under a key; empty where nothing stands there.
    pub(super) fn section(&self, key: &str, allowed: &[&str]) -> Result<Section<'a>, ConfigError> {
        Section::new(self.place_of(key), self.get(key), Some(allowed))
    }

    /// The same with any keys.
    pub(super) fn any(&self, key: &str) -> Result<Section<'a>, ConfigError> {
        Section::new(self.place_of(key), self.get(key), None)
    }

    /// The same where something has to stand there.
    pub(super) fn required(&self, key: &str, allowed: &[&str]) -> Result<Section<'a>, ConfigError> {
        if self.has(key) { self.section(key, allowed) } else { Err(self.wrong_at(key, "missing")) }
    }

    /// A map whose keys are names of these types: `otlp`, `otlp/second`.
    pub(super) fn named(&self, key: &str, types: &[&str]) -> Result<Section<'a>, ConfigError> {
        let section = self.any(key)?;
        match section.entries.iter().find(|(name, _)| type_of(name, types).is_none()) {
            Some((_, odd)) => {
                let problem = format!("an unknown name; {}", expected_name(types));
                Err(ConfigError::new(Some(odd.line), &section.place, problem))
            }
            None => Ok(section),
        }
    }

    /// The names in a map.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// A list of names of these types.
    pub(super) fn names(&self, key: &str, types: &[&str]) -> Result<Vec<&'a str>, ConfigError> {
        let Some(node) = self.get(key) else { return Ok(Vec::new()) };
        let Value::List(values) = &node.value else {
            let example = types.first().copied().unwrap_or_default();
            return Err(self.wrong_at(key, format!("expected a list of names, such as `[{example}]`")));
        };
        let mut names: Vec<&str> = Vec::new();
        for (number, value) in values.iter().enumerate() {
            let wrong = |problem: String| {
                ConfigError::new(Some(value.line), &format!("{}[{number}]", self.place_of(key)), problem)
            };
            let Value::Text { text, .. } = &value.value else { return Err(wrong(expected_name(types))) };
            if type_of(text, types).is_none() {
                return Err(wrong(expected_name(types)));
            }
            if names.contains(&text.as_str()) {
                return Err(wrong(format!("`{text}` stands there twice")));
            }
            names.push(text);
        }
        Ok(names)
    }

    /// A list of maps in which only these keys may stand.
    pub(super) fn sections(&self, key: &str, allowed: &[&str]) -> Result<Vec<Section<'a>>, ConfigError> {
        let Some(node) = self.get(key) else { return Ok(Vec::new()) };
        let Value::List(values) = &node.value else { return Err(self.wrong_at(key, "expected a list")) };
        let place = |number| format!("{}[{number}]", self.place_of(key));
        let section = |(number, value)| Section::new(place(number), Some(value), Some(allowed));
        values.iter().enumerate().map(section).collect()
    }

    /// A text, of which an error says that it is `expected`.
    fn text(&self, key: &str, expected: &str) -> Result<Option<&'a str>, ConfigError> {
        match self.get(key).map(|node| &node.value) {
            None => Ok(None),
            Some(Value::Text { text, .. }) => Ok(Some(text)),
            Some(_) => Err(self.wrong_at(key, expected)),
        }
    }

    pub(super) fn required_text(&self, key: &str, expected: &str) -> Result<&'a str, ConfigError> {
        self.text(key, expected)?.ok_or_else(|| self.wrong_at(key, format!("missing; {expected}")))
    }

    /// One of these words.
    pub(super) fn word(&self, key: &str, words: &[&'static str]) -> Result<Option<&'static str>, ConfigError> {
        let expected = format!("expected {}", one_of(words));
        let Some(text) = self.text(key, &expected)? else { return Ok(None) };
        let found = words.iter().find(|word| **word == text);
        found.copied().map(Some).ok_or_else(|| self.wrong_at(key, expected))
    }

    /// A list of texts that look like names, if there is one.
    pub(super) fn labels(&self, key: &str) -> Result<Option<Vec<String>>, ConfigError> {
        let Some(node) = self.get(key) else { return Ok(None) };
        let wrong = |line| ConfigError::new(Some(line), &self.place_of(key), "expected a list of names of attributes");
        let Value::List(values) = &node.value else { return Err(wrong(node.line)) };
        let label = |value: &Node| match &value.value {
            Value::Text { text, .. } if is_label(text) => Ok(text.clone()),
            _ => Err(wrong(value.line)),
        };
        values.iter().map(label).collect::<Result<_, _>>().map(Some)
    }

    /// A text that must not stand in the file itself.
    pub(super) fn secret(&self, key: &str) -> Result<Option<SecretString>, ConfigError> {
        match self.get(key).map(|node| &node.value) {
            None => Ok(None),
            Some(Value::Text { text, is_variable: true }) => Ok(Some(SecretString::from(text.as_str()))),
            Some(_) => Err(self.wrong_at(key, "expected `${env:NAME}`: a secret does not belong in this file")),
        }
    }

    pub(super) fn path(&self, key: &str) -> Result<Option<PathBuf>, ConfigError> {
        const EXPECTED: &str = "expected an absolute path";
        let Some(path) = self.text(key, EXPECTED)?.map(PathBuf::from) else { return Ok(None) };
        if path.is_absolute() { Ok(Some(path)) } else { Err(self.wrong_at(key, EXPECTED)) }
    }

    pub(super) fn address(&self, key: &str) -> Result<SocketAddr, ConfigError> {
        const EXPECTED: &str = "expected an address such as 127.0.0.1:4317 or localhost:4317";
        let text = self.required_text(key, EXPECTED)?;
        // The Collector's own default; the name means no other machine (RFC 6761).
        let parsed = match text.strip_prefix("localhost:") {
            Some(port) => port.parse().ok().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
            None => text.parse().ok(),
        };
        parsed.ok_or_else(|| self.wrong_at(key, EXPECTED))
    }

    pub(super) fn flag(&self, key: &str) -> Result<bool, ConfigError> {
        match self.get(key).map(|node| &node.value) {
            None => Ok(false),
            Some(Value::Flag(flag)) => Ok(*flag),
            // As a variable says it.
            Some(Value::Text { text, .. }) if text == "true" || text == "false" => Ok(text == "true"),
            Some(_) => Err(self.wrong_at(key, "expected `true` or `false`")),
        }
    }

    /// A whole number within these bounds, which a variable may have said.
    pub(super) fn number(&self, key: &str, least: u64, most: u64) -> Result<Option<u64>, ConfigError> {
        let number = match self.get(key).map(|node| &node.value) {
            None => return Ok(None),
            Some(Value::Number(number)) => u64::try_from(*number).ok(),
            Some(Value::Text { text, .. }) => text.parse().ok(),
            Some(_) => None,
        };
        let number = number.filter(|number| (least..=most).contains(number));
        let wrong = || self.wrong_at(key, format!("expected a whole number from {least} to {most}"));
        number.map(Some).ok_or_else(wrong)
    }

    /// A time such as `250ms`, `10s`, `5m` or `1h`, of a day at most and of a millisecond at least.
    pub(super) fn duration(&self, key: &str) -> Result<Option<Duration>, ConfigError> {
        let text = match self.get(key).map(|node| &node.value) {
            None => return Ok(None),
            Some(Value::Text { text, .. }) => text.as_str(),
            Some(_) => "",
        };
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
        let millis = units.iter().find_map(|(unit, millis)| {
            let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
            count.checked_mul(*millis).filter(|millis| (1..=86_400_000).contains(millis))
        });
        let wrong = || self.wrong_at(key, "expected a time from `1ms` to `24h`, such as `250ms`, `10s` or `5m`");
        millis.map(|millis| Some(Duration::from_millis(millis))).ok_or_else(wrong)
    }

    /// Names and values of headers (RFC 9110, section 5).
    pub(super) fn headers(&self, key: &str) -> Result<Vec<(String, SecretString)>, ConfigError> {
        let section = self.any(key)?;
        let header = |(name, node): &(String, Node)| {
            let wrong = |problem: &str| Err(ConfigError::new(Some(node.line), &section.place, problem));
            let Value::Text { text, .. } = &node.value else {
                return wrong("expected a text; a number needs quotes");
            };
            match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(text)) {
                (Ok(_), Ok(_)) => Ok((name.clone(), SecretString::from(text.as_str()))),
                (Err(_), _) => wrong("this cannot be the name of a header"),
                (_, Err(_)) => wrong("this cannot be the value of a header"),
            }
        };
        section.entries.iter().map(header).collect()
    }

    /// Whether it says `off`, which is the only thing it can say. YAML 1.1 readers make a boolean of the bare word.
    pub(super) fn switched_off(&self, key: &str) -> Result<bool, ConfigError> {
        match self.get(key).map(|node| &node.value) {
            None => Ok(false),
            Some(Value::Flag(false)) => Ok(true),
            Some(Value::Text { text, .. }) if text == "off" => Ok(true),
            Some(_) => Err(self.wrong_at(key, "expected `off`, or nothing")),
        }
    }
}

/// The type in a name: what stands before the first slash. Behind it letters, digits and `_.-` may stand.
pub(super) fn type_of<'a>(name: &str, types: &[&'a str]) -> Option<&'a str> {
    let (kind, rest) = name.split_once('/').map_or((name, None), |(kind, rest)| (kind, Some(rest)));
    let is_plain = |rest: &str| {
        (1..=64).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    };
    types.iter().find(|known| **known == kind).copied().filter(|_| rest.is_none_or(is_plain))
}

fn expected_name(types: &[&str]) -> String {
    format!("expected {}, alone or with a name of its own behind a slash", one_of(types))
}
