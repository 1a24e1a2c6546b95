//! Which call sites are GenAI ones, told by their fields and remembered by their address.

use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::Metadata;

use super::aliases::{MARKS, PLAIN_SIGNS, SIGNS, WHOLE_SIGNS};

/// What a call site's fields say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict(usize);

impl Verdict {
    /// It has nothing to do with us.
    pub(super) const NONE: Self = Self(0);
    const GEN_AI: usize = 1;
    const ERROR: usize = 2;
    const APART: usize = 4;
    const MASK: usize = 7;

    /// A span that is a call, or an event that tells of one.
    pub(super) const fn is_gen_ai(self) -> bool {
        self.0 & Self::GEN_AI != 0
    }

    /// An event that tells of an error.
    pub(super) const fn is_error(self) -> bool {
        self.0 & Self::ERROR != 0
    }

    /// What no exporter should have: what this crate logs itself, and a span that is nothing but a message of a chat.
    pub(super) const fn is_apart(self) -> bool {
        self.0 & Self::APART != 0
    }
}

/// Entries are overwritten by call sites of the same place, so the size bounds memory and not what is known.
const PLACES: usize = 2048;

/// Two call sites of one place: of a thousand call sites there is hardly one that a third one has taken the place of.
type Place = [AtomicUsize; 2];

/// An address with its verdict in the lowest bits, which are zero in any address of a [`Metadata`].
static KNOWN: [Place; PLACES] = [const { [const { AtomicUsize::new(0) }; 2] }; PLACES];

const _: () = assert!(align_of::<Metadata<'static>>() > Verdict::MASK);

/// The verdict on a call site, remembered for [`of`].
pub(super) fn register(metadata: &'static Metadata<'static>) -> Verdict {
    let verdict = judge(metadata);
    if let Some([first, second]) = place(metadata) {
        let is_free =
            |known: &AtomicUsize| [0, address(metadata)].contains(&(known.load(Ordering::Relaxed) & !Verdict::MASK));
        // A newer one is more likely to be asked for than an older one.
        let known = if !is_free(first) && is_free(second) { second } else { first };
        // Only addresses of statics get here, which nothing else ever has: an entry is never about something else.
        known.store(address(metadata) | verdict.0, Ordering::Relaxed);
    }
    verdict
}

/// The verdict on a call site, by its address where that is known.
pub(super) fn of(metadata: &Metadata<'_>) -> Verdict {
    let known = place(metadata).into_iter().flatten().map(|known| known.load(Ordering::Relaxed));
    let known = known.into_iter().find(|known| known & !Verdict::MASK == address(metadata));
    known.map_or_else(|| judge(metadata), |known| Verdict(known & Verdict::MASK))
}

fn address(metadata: &Metadata<'_>) -> usize {
    std::ptr::from_ref(metadata).addr()
}

fn place(metadata: &Metadata<'_>) -> Option<&'static Place> {
    KNOWN.get(spread(metadata, PLACES))
}

/// A number below `places`, a power of two, for a call site. Neighbours in memory stand a few hundred bytes apart; the
/// multiplication spreads them.
pub(super) fn spread(metadata: &Metadata<'_>, places: usize) -> usize {
    address(metadata).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as usize) >> (usize::BITS - places.ilog2())
}

fn judge(metadata: &Metadata<'_>) -> Verdict {
    if is_our_target(metadata.target()) || is_a_message(metadata) {
        return Verdict(Verdict::APART);
    }
    let names = || metadata.fields().iter().map(|field| field.name());
    let mut verdict = Verdict::NONE;
    if names().any(is_sign) || uses_plain_words(metadata) {
        verdict.0 |= Verdict::GEN_AI;
    }
    if metadata.is_event() && names().any(|name| name == "error" || name.starts_with("exception.")) {
        verdict.0 |= Verdict::ERROR;
    }
    verdict
}

fn is_our_target(target: &str) -> bool {
    target.strip_prefix("veilspan").is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// swiftide opens a span for each message of a chat, with the whole of it in a field. Spans of other libraries have fields of that
/// name for other things.
fn is_a_message(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with("swiftide") && metadata.fields().field("message").is_some()
}

fn is_sign(name: &str) -> bool {
    let begins = SIGNS.iter().any(|sign| name.starts_with(sign));
    (begins && !MARKS.contains(&name)) || WHOLE_SIGNS.contains(&name)
}

/// Whether a span's call site tells of a model request in plain words.
pub(super) fn uses_plain_words(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && PLAIN_SIGNS.iter().all(|sign| metadata.fields().field(sign).is_some())
}
