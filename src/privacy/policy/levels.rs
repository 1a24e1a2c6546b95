//! The level of each class of content, and where it came from.

use std::fmt;

use crate::privacy::Level;
use crate::semconv::Field;

/// The level of each class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels([Level; Field::ALL.len()]);

impl Levels {
    /// The same level for all classes.
    pub const fn all(level: Level) -> Self {
        Self([level; Field::ALL.len()])
    }

    /// The level of a class.
    pub const fn of(&self, class: Field) -> Level {
        match class {
            Field::System => self.0[0],
            Field::Prompts => self.0[1],
            Field::Completions => self.0[2],
            Field::Reasoning => self.0[3],
            Field::ToolArguments => self.0[4],
            Field::ToolResults => self.0[5],
            Field::Errors => self.0[6],
        }
    }

    /// The most private of the levels of some classes: what belongs to several is what the strictest lets leave.
    pub fn of_all(&self, classes: &[Field]) -> Level {
        classes.iter().map(|class| self.of(*class)).min().unwrap_or(Level::None)
    }

    /// The least private of all levels.
    pub fn most(&self) -> Level {
        self.0.into_iter().max().unwrap_or(Level::None)
    }

    /// The most private of all levels.
    pub fn least(&self) -> Level {
        self.0.into_iter().min().unwrap_or(Level::None)
    }

    pub(super) fn set(&mut self, class: Field, level: Level) {
        let place = Field::ALL.into_iter().zip(&mut self.0).find(|(other, _)| *other == class);
        place.into_iter().for_each(|(_, place)| *place = level);
    }

    /// Of each class the more private of two levels.
    pub(crate) fn meet(&self, other: &Self) -> Self {
        let mut met = *self;
        met.0.iter_mut().zip(other.0).for_each(|(level, other)| *level = other.min(*level));
        met
    }

    pub(super) fn from_classes(classes: &[ClassLevel; Field::ALL.len()]) -> Self {
        Self(classes.each_ref().map(|class| class.level))
    }
}

/// The level in force for one class, and what decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassLevel {
    /// The class.
    pub class: Field,
    /// How much of it leaves.
    pub level: Level,
    /// What decided that.
    pub origin: Origin,
    /// A placeholder stands where a preview would.
    pub(in crate::privacy) placeholder: bool,
}

impl ClassLevel {
    /// Whether a placeholder with the length stands where a preview would: the I/O journal's `redacted`.
    pub const fn has_placeholder(&self) -> bool {
        self.placeholder && !matches!(self.level, Level::None)
    }
}

/// What decided a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// Nobody asked for anything.
    Default,
    /// The file that `VEILSPAN_POLICY_FILE` names.
    PolicyFile,
    /// A variable.
    Variable(&'static str),
    /// The program.
    Code,
    /// A variable of an unknown name, which could have been meant to be stricter.
    UnknownName,
    /// The operator's file, which stands above everything else.
    OperatorFile,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::PolicyFile => "VEILSPAN_POLICY_FILE",
            Self::Variable(name) => name,
            Self::Code => "code",
            Self::UnknownName => "a variable of an unknown name",
            Self::OperatorFile => super::file::OPERATOR,
        })
    }
}
