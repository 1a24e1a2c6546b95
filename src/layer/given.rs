//! A value as a field gave it, and as the type that a name wants.

use crate::event::RawValue;
use crate::semconv::{KeyId, Type};

/// A value of a field.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    Text(&'a str),
    Int(i128),
    Double(f64),
    Bool(bool),
}

impl<'a> Given<'a> {
    /// The value as the type of this name, or nothing where it cannot be meant.
    pub(super) fn typed<'t>(self, id: KeyId, digits: &'t mut String) -> Option<RawValue<'t>>
    where
        'a: 't,
    {
        match id.name().kind {
            Type::Text => self.text(digits).map(|text| RawValue::Text(text.as_bytes())),
            Type::Int => self.int().map(RawValue::Int),
            Type::Double => self.double().map(RawValue::Double),
            Type::Bool => self.flag().map(RawValue::Bool),
            Type::Texts | Type::Ints | Type::Any => None,
        }
    }

    /// What it is as a text.
    pub(super) fn with_text(self, take: impl FnOnce(&str)) {
        if let Some(text) = self.text(&mut String::new()) {
            take(text);
        }
    }

    fn text<'t>(self, digits: &'t mut String) -> Option<&'t str>
    where
        'a: 't,
    {
        match self {
            Self::Text(text) => return Some(text),
            Self::Int(number) => *digits = number.to_string(),
            Self::Double(number) => *digits = number.to_string(),
            Self::Bool(flag) => *digits = flag.to_string(),
        }
        Some(digits)
    }

    /// Counts come signed, unsigned, as floats and as text; what does not fit is the nearest that does.
    fn int(self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX })),
            // Casting saturates.
            Self::Double(number) => (number.fract() == 0.0).then_some(number as i64),
            Self::Text(text) => {
                let text = text.trim();
                let whole = text.parse::<i128>().ok().map(Self::Int);
                whole.or_else(|| text.parse::<f64>().ok().map(Self::Double))?.int()
            }
            Self::Bool(_) => None,
        }
    }

    fn double(self) -> Option<f64> {
        match self {
            Self::Double(number) => Some(number),
            Self::Int(number) => Some(number as f64),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Bool(_) => None,
        }
    }

    pub(super) fn flag(self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(flag),
            Self::Text("true" | "True" | "1") | Self::Int(1) => Some(true),
            Self::Text("false" | "False" | "0") | Self::Int(0) => Some(false),
            _ => None,
        }
    }

    /// Whether a field that tells of an error by being there tells of one.
    pub(super) fn is_error(self) -> bool {
        match self {
            Self::Bool(flag) => flag,
            Self::Text(text) => !matches!(text, "" | "false" | "None"),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semconv::{INPUT_TOKENS, REQUEST_MODEL, STREAM, TEMPERATURE};

    fn int(given: Given<'_>) -> Option<i64> {
        match given.typed(INPUT_TOKENS.id(), &mut String::new()) {
            Some(RawValue::Int(number)) => Some(number),
            _ => None,
        }
    }

    #[test]
    fn a_count_is_the_same_number_however_it_came() {
        for given in [Given::Int(12), Given::Double(12.0), Given::Text("12"), Given::Text(" 12 "), Given::Text("12.0")]
        {
            assert_eq!(int(given), Some(12));
        }
        assert_eq!(int(Given::Int(i128::from(u64::MAX))), Some(i64::MAX));
        assert_eq!(int(Given::Text(&u128::MAX.to_string())), Some(i64::MAX));
        for none in [Given::Text("a dozen"), Given::Double(1.5), Given::Double(f64::NAN), Given::Bool(true)] {
            assert_eq!(int(none), None);
        }
    }

    #[test]
    fn other_types_are_told_too() {
        let mut digits = String::new();
        assert!(matches!(Given::Int(1).typed(TEMPERATURE.id(), &mut digits), Some(RawValue::Double(1.0))));
        assert!(matches!(Given::Text("true").typed(STREAM.id(), &mut digits), Some(RawValue::Bool(true))));
        assert!(matches!(Given::Int(7).typed(REQUEST_MODEL.id(), &mut digits), Some(RawValue::Text(b"7"))));
    }
}
