//! Making a list of JSON values fit into so many bytes: texts are cut first, then units are left out.

use super::json::{Draft, Piece, cut_to, escaped, escaped_length};
use crate::privacy::preview::MARKER_BYTES;

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

/// A list that has been written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) json: String,
    /// Whether all of it is there.
    pub(super) is_whole: bool,
}

/// A text is not cut below this for the sake of others; elements are left out instead.
const FLOOR: usize = 256;

/// A JSON array of at most `bytes` bytes; nothing where not even an empty one fits.
pub(super) fn list(mut units: Vec<Unit>, gives: Gives, bytes: usize) -> Option<Written> {
    let room = bytes.checked_sub("[]".len())?;
    if gives == Gives::Oldest {
        units.reverse();
    }
    let mut drafts = Vec::with_capacity(units.len());
    let mut left = room;
    let mut is_whole = true;
    for Unit { whole, small } in units {
        let separator = usize::from(!drafts.is_empty());
        let fits = |draft: &Draft| least(draft) + separator <= left;
        let draft = match (fits(&whole), fits(&small)) {
            (true, _) => whole,
            (false, true) => small,
            (false, false) => {
                is_whole = false;
                break;
            }
        };
        left -= least(&draft) + separator;
        drafts.push(draft);
    }
    if gives == Gives::Oldest {
        drafts.reverse();
    }
    let mut joined = Draft::default();
    joined.fixed("[");
    for (place, draft) in drafts.into_iter().enumerate() {
        if place > 0 {
            joined.fixed(",");
        }
        joined.append(draft);
    }
    joined.fixed("]");
    let written = write(&joined, bytes)?;
    Some(Written { is_whole: is_whole && written.is_whole, ..written })
}

/// A JSON value of at most `bytes` bytes; nothing where it does not fit even with its texts cut.
pub(super) fn value(draft: &Draft, bytes: usize) -> Option<Written> {
    write(draft, bytes)
}

/// The bytes that a draft takes where its texts are cut as far as they may be.
fn least(draft: &Draft) -> usize {
    let least = |piece: &Piece| match piece {
        Piece::Fixed(structure) => structure.len(),
        Piece::Text(text) => escaped_length(text).min(FLOOR),
    };
    draft.pieces().iter().map(least).sum()
}

fn write(draft: &Draft, bytes: usize) -> Option<Written> {
    let lengths: Vec<usize> = draft.pieces().iter().filter_map(text_length).collect();
    let fixed: usize =
        draft.pieces().iter().map(|piece| if let Piece::Fixed(text) = piece { text.len() } else { 0 }).sum();
    let cap = level(lengths, bytes.checked_sub(fixed)?)?;
    let mut json = String::with_capacity(bytes.min(4096));
    let mut is_whole = true;
    for piece in draft.pieces() {
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
    Some(Written { json, is_whole })
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
