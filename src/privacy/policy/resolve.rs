//! Who decides: of each class the first that says something, under all that may only lower it.

use super::levels::{ClassLevel, Origin};
use crate::privacy::Level;
use crate::privacy::level::Strength;
use crate::semconv::Field;

/// What one source says: of all content, and of single classes.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    general: Option<(Strength, Origin)>,
    classes: [Option<(Strength, Origin)>; Field::ALL.len()],
}

impl Said {
    pub(super) fn general(&mut self, strength: Strength, origin: Origin) {
        self.general = Some((strength, origin));
    }

    pub(super) fn class(&mut self, class: Field, strength: Strength, origin: Origin) {
        if let Some(place) = self.classes.get_mut(class as usize) {
            *place = Some((strength, origin));
        }
    }

    fn of(&self, class: Option<Field>) -> Option<(Strength, Origin)> {
        class.and_then(|class| self.classes.get(class as usize).copied().flatten()).or(self.general)
    }

    /// The same as limits: what it says of all content holds for each class of which it says nothing.
    pub(super) fn into_limits(self) -> Vec<Limit> {
        let limit = |class: Field| {
            let (strength, origin) = self.of(Some(class))?;
            Some(Limit { class: Some(class), level: strength.level, origin })
        };
        let general = self.general.map(|(strength, origin)| Limit { class: None, level: strength.level, origin });
        Field::ALL.into_iter().filter_map(limit).chain(general).collect()
    }
}

/// Something that may lower a level and never raise it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    /// The class that it holds for; without one for the level of everything that has none of its own.
    pub(super) class: Option<Field>,
    pub(super) level: Level,
    pub(super) origin: Origin,
}

impl Limit {
    /// A limit of all classes.
    pub(super) fn of_all(level: Level, origin: Origin) -> impl Iterator<Item = Self> {
        Self::of(&Field::ALL, level, origin).chain([Self { class: None, level, origin }])
    }

    /// A limit of some classes.
    pub(super) fn of(classes: &[Field], level: Level, origin: Origin) -> impl Iterator<Item = Self> {
        classes.iter().map(move |class| Self { class: Some(*class), level, origin })
    }
}

/// All that is known when a policy is made. Of `said` the first source counts most.
pub(super) struct Sources {
    pub(super) said: [Said; 3],
    pub(super) limits: Vec<Limit>,
    /// Whether there are detectors that make text safe.
    pub(super) has_detectors: bool,
}

impl Sources {
    /// The level of a class; without one the level of everything that has none of its own.
    fn decide(&self, class: Option<Field>) -> (Strength, Origin) {
        let default = (Strength::from(Level::Digest), Origin::Default);
        let (mut strength, mut origin) = self.said.iter().find_map(|said| said.of(class)).unwrap_or(default);
        for limit in self.limits.iter().filter(|limit| limit.class == class) {
            if limit.level < strength.level {
                (strength.level, origin) = (limit.level, limit.origin);
            }
        }
        if !self.has_detectors && matches!(strength.level, Level::Preview | Level::Masked) {
            (strength.level, origin) = (Level::Digest, Origin::Variable("VEILSPAN_DETECTORS"));
        }
        (strength, origin)
    }

    /// The level of everything that has none of its own, and what decided it.
    pub(super) fn general(&self) -> (Level, Origin) {
        let (strength, origin) = self.decide(None);
        (strength.level, origin)
    }

    pub(super) fn classes(&self) -> [ClassLevel; Field::ALL.len()] {
        Field::ALL.map(|class| {
            let (Strength { level, placeholder }, origin) = self.decide(Some(class));
            ClassLevel { class, level, origin, placeholder }
        })
    }
}
