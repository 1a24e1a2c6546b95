//! What a rule is.

use std::ops::Range;
use std::sync::OnceLock;

use bytestring::ByteString;
use regex_automata::meta::{self, Regex};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

use super::mark;

/// How far a pattern may look from where it begins, in bytes. Bounds the work at one place, and with it the whole's.
pub(super) const WINDOW: usize = 512;

/// The compiled size that one pattern may have, in bytes.
const COMPILED_BYTES: usize = 1 << 20;

/// Judges what a pattern found, and may narrow or widen what is to be masked.
pub(super) type Check = fn(&Found<'_>) -> Option<Range<usize>>;

/// What a pattern found, for a check to judge.
pub(super) struct Found<'t> {
    /// The text around it.
    pub(super) text: &'t [u8],
    /// The whole match.
    pub(super) whole: Range<usize>,
    /// What would be masked: the pattern's first group, or else the whole.
    pub(super) secret: Range<usize>,
}

impl<'t> Found<'t> {
    /// The bytes that would be masked.
    pub(super) fn secret(&self) -> &'t [u8] {
        self.text.get(self.secret.clone()).unwrap_or_default()
    }
}

/// What makes the engine try a rule at a place of a text.
#[derive(Clone, Debug)]
pub(super) enum Trigger {
    /// One of these words, in exactly this case; the pattern begins there.
    Exact(&'static [&'static str]),
    /// One of these words in any case; the pattern begins there.
    Word(&'static [&'static str]),
    /// One of these words in exactly this case; the pattern begins at most so many token bytes before.
    Inside(&'static [&'static str], usize),
    /// An `@`; the pattern begins where the name before it does.
    At,
    /// The first digit, `+` or `(` of a run of digits and what separates them.
    Digits,
    /// A run of base64's characters, as most keys are. The pattern begins where one of these words, in exactly this case,
    /// begins the run or stands behind a separator in it; without words, where the run does.
    Run(&'static [&'static str]),
}

/// A rule, as the tables write it.
pub(super) struct Spec {
    pub(super) name: &'static str,
    pub(super) trigger: Trigger,
    pub(super) pattern: &'static str,
    pub(super) check: Option<Check>,
    /// Whether a letter or digit may stand right before the match.
    pub(super) glued: bool,
}

/// A rule that is ready to run.
pub(super) struct Rule {
    pub(super) name: ByteString,
    pub(super) trigger: Trigger,
    pub(super) check: Option<Check>,
    pub(super) glued: bool,
    pub(super) pattern: &'static str,
    regex: OnceLock<Option<Regex>>,
}

impl From<&'static Spec> for Rule {
    fn from(spec: &'static Spec) -> Self {
        Self {
            name: ByteString::from_static(spec.name),
            trigger: spec.trigger.clone(),
            check: spec.check,
            glued: spec.glued,
            pattern: spec.pattern,
            regex: OnceLock::new(),
        }
    }
}

impl Rule {
    /// What is to be masked where the pattern matches at `start`, and the check agrees.
    pub(super) fn at(&self, text: &[u8], start: usize) -> Option<Range<usize>> {
        let before = start.checked_sub(1).and_then(|before| text.get(before));
        if !self.glued && before.is_some_and(u8::is_ascii_alphanumeric) {
            return None;
        }
        let regex = self.regex.get_or_init(|| compile(self.pattern)).as_ref()?;
        let end = text.len().min(start + WINDOW);
        let input = Input::new(text).span(start..end).anchored(Anchored::Yes);
        // Two for the whole match, two for its first group: on the stack.
        let mut slots: [Option<NonMaxUsize>; 4] = [None; 4];
        regex.search_slots(&input, &mut slots)?;
        let [from, to, group_from, group_to] = slots.map(|slot| slot.map(NonMaxUsize::get));
        let whole = from?..to?;
        let secret = match (group_from, group_to) {
            (Some(from), Some(to)) => from..to,
            _ => whole.clone(),
        };
        let found = match self.check {
            None => secret,
            Some(check) => check(&Found { text, whole, secret })?,
        };
        let found = if found.end == end { found.start..end_of_token(text, end) } else { found };
        (!mark::is_all(text, &found)).then_some(found)
    }
}

/// Where a token ends that goes on behind the window.
pub(super) fn end_of_token(text: &[u8], from: usize) -> usize {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"_+/=.~%-".contains(byte);
    from + text.get(from..).unwrap_or_default().iter().take_while(|byte| is_token(byte)).count()
}

/// Compiles a pattern of bytes: ASCII classes, since Unicode's would exceed the size, and nothing over its size.
pub(super) fn compile(pattern: &str) -> Option<Regex> {
    Regex::builder()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .configure(
            meta::Config::new()
                // A search begins where it is told to: nothing looks for places, and finding out by what costs most of a build.
                .auto_prefilter(false)
                .utf8_empty(false)
                .nfa_size_limit(Some(COMPILED_BYTES))
                .onepass_size_limit(Some(COMPILED_BYTES))
                .hybrid_cache_capacity(COMPILED_BYTES),
        )
        .build(pattern)
        .ok()
}
