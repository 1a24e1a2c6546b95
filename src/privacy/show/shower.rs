//! How one text becomes what is shown of it.

use std::borrow::Cow;

use bytestring::ByteString;

use crate::event::RawText;
use crate::privacy::level::Level;
use crate::privacy::policy::Policy;
use crate::privacy::preview::{self, PreviewOf};
use crate::privacy::tally::Tally;
use crate::semconv::Field;

/// A policy, as far as it shows text.
#[derive(Clone, Copy)]
pub(super) struct Shower<'a> {
    pub(super) policy: &'a Policy,
    pub(super) tally: &'a Tally,
}

impl<'a> Shower<'a> {
    /// Whether any text of this class leaves, or a placeholder for it.
    pub(super) fn shows(self, class: Field) -> bool {
        self.policy.levels().of(class) >= Level::Preview || self.has_placeholder(class)
    }

    /// Whether whole content of this class leaves.
    pub(super) fn shows_whole(self, class: Field) -> bool {
        self.policy.levels().of(class) >= Level::Masked
    }

    fn has_placeholder(self, class: Field) -> bool {
        self.policy.classes().iter().any(|known| known.class == class && known.has_placeholder())
    }

    /// A text as it may leave at `level`: after the detectors, or, at `full`, as it is. Nothing below `preview`.
    pub(super) fn text<'t>(self, level: Level, text: &'t str) -> Option<Cow<'t, str>> {
        match level {
            Level::None | Level::Digest => None,
            Level::Full => Some(Cow::Borrowed(text)),
            // There are detectors where a policy has one of these levels.
            Level::Preview | Level::Masked => {
                let masked = self.policy.detectors()?.mask(text);
                if let Cow::Owned(_) = masked {
                    self.tally.masked();
                }
                Some(masked)
            }
        }
    }

    /// A text in the place where content stands at `masked`: what may leave of it, or a placeholder.
    pub(super) fn content<'t>(self, level: Level, text: &'t RawText) -> Cow<'t, str> {
        let Some(said) = text.expose() else { return oversize(level, text.len()) };
        let whole = if level >= Level::Masked { self.text(level, said) } else { None };
        whole.unwrap_or_else(|| hidden(level, said))
    }

    /// The preview of a text at `level` that belongs first of all to `class`, where it is of a known one.
    pub(super) fn preview(self, class: Option<Field>, level: Level, of: PreviewOf, text: &str) -> Option<ByteString> {
        let rule = self.policy.preview();
        let chars = rule.cap(of);
        let bytes = self.policy.attribute_bytes().checked_sub(preview::MARKER_BYTES)?;
        if chars == 0 {
            return None;
        }
        if level >= Level::Digest && class.is_some_and(|class| self.has_placeholder(class))
            || level >= Level::Preview && rule.placeholder
        {
            return Some(preview::placeholder(text.chars().count()));
        }
        let masked = self.text(level, text)?;
        Some(preview::cut(&masked, chars, bytes).into())
    }
}

/// What stands for a text that may not leave. Its length may, unless nothing may.
fn hidden(level: Level, said: &str) -> Cow<'_, str> {
    match level {
        Level::None => Cow::Borrowed("<redacted>"),
        // What stands for a text tells of that, not of itself: who veils what is veiled already changes nothing.
        _ if preview::is_stand_in(said) => Cow::Borrowed(said),
        _ => Cow::Owned(preview::placeholder(said.chars().count()).to_string()),
    }
}

/// What stands for a text that was too long to be taken.
fn oversize(level: Level, bytes: usize) -> Cow<'static, str> {
    match level {
        Level::None => Cow::Borrowed("<redacted>"),
        _ => Cow::Owned(preview::oversize(bytes).to_string()),
    }
}
