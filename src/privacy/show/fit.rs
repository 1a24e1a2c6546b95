//! Making content fit into so many bytes: texts are cut first, then units are left out, and JSON stays JSON.

use std::borrow::Cow;

use super::json::{Draft, Piece, cut_to, escaped, escaped_length, is_structured};
use crate::privacy::preview::{MARKER_BYTES, cut};

/// Content ready to be written, into however many bytes.
pub(super) enum Form<'a> {
    /// A JSON array.
    List { units: Vec<Unit>, gives: Gives },
    /// One JSON value.
    Value(Draft),
    /// A text, which stays JSON where it is.
    Text(Cow<'a, str>),
}

/// One element of a list, and what stands for it where it does not fit even with its texts cut.
pub(super) struct Unit {
    pub(super) whole: Draft,
    pub(super) small: Draft,
}

/// Which elements of a list go first where not all fit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    Oldest,
    Last,
}

/// Content that has been written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) text: String,
    /// Whether all of it is there.
    pub(super) is_whole: bool,
}

/// A text is not cut below this for the sake of others; elements are left out instead.
const FLOOR: usize = 256;

impl Form<'_> {
    /// At most `bytes` bytes of it; nothing where not even the least of it fits.
    pub(super) fn fit(&self, bytes: usize) -> Option<Written> {
        match self {
            Self::List { units, gives } => list(units, *gives, bytes),
            Self::Value(draft) => write(draft.pieces(), bytes),
            Self::Text(text) if text.len() <= bytes => Some(Written { text: text.to_string(), is_whole: true }),
            Self::Text(text) => beginning(text, bytes),
        }
    }
}

/// The beginning of a text that is too long, which stays JSON where it is.
pub(super) fn beginning(text: &str, bytes: usize) -> Option<Written> {
    if !is_structured(text) {
        let room = bytes.checked_sub(MARKER_BYTES)?;
        return Some(Written { text: cut(text, usize::MAX, room), is_whole: false });
    }
    let mut draft = Draft::default();
    draft.value(Cow::Borrowed(text));
    // So many numbers or keys that cutting texts is not enough: the beginning, as a string.
    let as_text = || Written { text: escaped(&cut_to(text, bytes)), is_whole: false };
    write(draft.pieces(), bytes).or_else(|| Some(as_text()).filter(|written| written.text.len() <= bytes))
}

fn list(units: &[Unit], gives: Gives, bytes: usize) -> Option<Written> {
    let room = bytes.checked_sub("[]".len())?;
    let mut drafts: Vec<&Draft> = Vec::with_capacity(units.len());
    let mut left = room;
    let mut is_whole = true;
    let mut newest_first = units.iter().rev();
    let mut oldest_first = units.iter();
    let next = || if gives == Gives::Oldest { newest_first.next() } else { oldest_first.next() };
    for Unit { whole, small } in std::iter::from_fn(next) {
        let separator = usize::from(!drafts.is_empty());
        let fits = |draft: &Draft| least(draft) + separator <= left;
        let draft = match (fits(whole), fits(small)) {
            (true, _) => whole,
            (false, true) => {
                is_whole = false;
                small
            }
            (false, false) => {
                is_whole = false;
                break;
            }
        };
        left -= least(draft) + separator;
        drafts.push(draft);
    }
    if drafts.is_empty() && !units.is_empty() {
        // An empty list would say that nothing was said, and a second look at it would find nothing to tell.
        return None;
    }
    if gives == Gives::Oldest {
        drafts.reverse();
    }
    let [opening, comma, closing] = ["[", ",", "]"].map(|structure| Piece::Fixed(structure.to_owned()));
    let separated = drafts.iter().enumerate().flat_map(|(place, draft)| {
        let separator = if place > 0 { Some(&comma) } else { None };
        separator.into_iter().chain(draft.pieces())
    });
    let pieces: Vec<&Piece> = std::iter::once(&opening).chain(separated).chain([&closing]).collect();
    let written = write(pieces, bytes)?;
    Some(Written { is_whole: is_whole && written.is_whole, ..written })
}

/// The bytes that a draft takes where its texts are cut as far as they may be.
fn least(draft: &Draft) -> usize {
    let least = |piece: &Piece| match piece {
        Piece::Fixed(structure) => structure.len(),
        Piece::Text(text) => escaped_length(text).min(FLOOR),
    };
    draft.pieces().iter().map(least).sum()
}

/// At most `bytes` bytes; nothing where the pieces do not fit even with their texts cut.
fn write<'p>(pieces: impl IntoIterator<Item = &'p Piece, IntoIter: Clone>, bytes: usize) -> Option<Written> {
    let pieces = pieces.into_iter();
    let lengths: Vec<usize> = pieces.clone().filter_map(text_length).collect();
    let fixed: usize = pieces.clone().map(|piece| if let Piece::Fixed(text) = piece { text.len() } else { 0 }).sum();
    let cap = level(lengths, bytes.checked_sub(fixed)?)?;
    let mut json = String::with_capacity(bytes.min(4096));
    let mut is_whole = true;
    for piece in pieces {
        match piece {
            Piece::Fixed(structure) => json.push_str(structure),
            Piece::Text(text) if escaped_length(text) <= cap => json.push_str(&escaped(text)),
            Piece::Text(text) => {
                is_whole = false;
                json.push_str(&escaped(&cut_to(text, cap)));
            }
        }
    }
    debug_assert!(json.len() <= bytes);
    Some(Written { text: json, is_whole })
}

fn text_length(piece: &Piece) -> Option<usize> {
    match piece {
        Piece::Fixed(_) => None,
        Piece::Text(text) => Some(escaped_length(text)),
    }
}

/// The most bytes that each text may have so that all of them have at most `room` together: short ones are whole, and what
/// they leave is shared by the long ones. Nothing where that is not even a marker's.
fn level(mut lengths: Vec<usize>, mut room: usize) -> Option<usize> {
    lengths.sort_unstable();
    for (place, length) in lengths.iter().enumerate() {
        let share = room / (lengths.len() - place);
        if *length > share {
            return (share >= 2 + MARKER_BYTES).then_some(share);
        }
        room -= length;
    }
    Some(usize::MAX)
}
