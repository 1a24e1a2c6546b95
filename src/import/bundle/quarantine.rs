//! What was set aside: where it stood, and why.

use std::fmt;

/// A record, or a part of one, that could not be used. Everything else is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quarantined {
    /// Where it stood.
    pub place: Place,
    /// Why it was set aside.
    pub reason: Reason,
}

/// A place in a bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line of the event log, from 1; 0 for the manifest.
    pub line: u64,
    /// The record's own number, where it could be read.
    pub seq: Option<u64>,
    /// Our name of the field it is about.
    pub field: Option<&'static str>,
}

/// Why something was set aside. Holds nothing of what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// It is no JSON.
    NotJson,
    /// The log ends in the middle of it.
    Truncated,
    /// It is longer than a record may be.
    Oversize,
    /// A field that it needs is missing or of another type.
    Field,
    /// Its type is one that this version does not know. It is kept as an event of an unknown kind.
    UnknownKind,
    /// Its payload is not there.
    Missing,
    /// Its payload cannot be read.
    Unreadable,
    /// Its payload's path leads out of the bundle.
    PathOutside,
    /// Its payload is a folder, a device or the like.
    NotAFile,
    /// Its payload does not have the shape that its kind has.
    Shape,
    /// A number in the order of records is missing before it.
    Gap,
    /// Another record has the same number.
    Duplicate,
    /// It says otherwise than an earlier record of the same call.
    Conflict,
}

impl Reason {
    /// A word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::Truncated => "truncated",
            Self::Oversize => "oversize",
            Self::Field => "field",
            Self::UnknownKind => "unknown_kind",
            Self::Missing => "payload_missing",
            Self::Unreadable => "payload_unreadable",
            Self::PathOutside => "path_outside",
            Self::NotAFile => "payload_not_a_file",
            Self::Shape => "payload_shape",
            Self::Gap => "gap",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str("manifest.json")?,
            line => write!(f, "trace.jsonl:{line}")?,
        }
        if let Some(field) = self.field {
            write!(f, ":{field}")?;
        }
        Ok(())
    }
}
