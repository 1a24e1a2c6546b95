//! Strings: where one ends, and what its escapes stand for.

use super::marks::Marks;

/// The bytes that are copied in one step, and that may be written beyond what was unescaped.
pub(super) const STEP: usize = 64;
/// What most runs between two escapes fit in.
const SHORT_STEP: usize = 32;

/// The end of a string.
pub(super) enum End {
    /// It has no escapes, and its closing quote stands here.
    Plain(usize),
    /// It has escapes, the first of which stands here.
    Escape(usize),
}

/// Looks from the first character of a string on. Nothing where it has no end.
#[inline]
pub(super) fn end(bytes: &[u8], marks: &mut Marks<'_>, at: usize) -> Option<End> {
    let end = marks.next(at)?;
    match bytes.get(end)? {
        b'"' => Some(End::Plain(end)),
        b'\\' => Some(End::Escape(end)),
        _ => None,
    }
}

/// Passes over a string from an escape on; gives the place of its closing quote.
pub(super) fn pass(bytes: &[u8], marks: &mut Marks<'_>, mut at: usize) -> Option<usize> {
    loop {
        let letter = *bytes.get(at + 1)?;
        at += if character(letter) != 0 { 2 } else { unicode(bytes, at)?.1 };
        at = marks.next(at)?;
        match bytes.get(at)? {
            b'\\' => {}
            b'"' => return Some(at),
            _ => return None,
        }
    }
}

/// Unescapes the rest of a string, from an escape on, to `out` from `used` on, which has room for as many bytes as are left
/// and [`STEP`] more. Gives the place of the closing quote, and the end of what was written.
pub(super) fn unescape(
    bytes: &[u8],
    marks: &mut Marks<'_>,
    mut at: usize,
    out: &mut [u8],
    mut used: usize,
) -> Option<(usize, usize)> {
    loop {
        let letter = character(*bytes.get(at + 1)?);
        if letter != 0 {
            *out.get_mut(used)? = letter;
            (at, used) = (at + 2, used + 1);
        } else {
            let (character, length) = unicode(bytes, at)?;
            used += character.encode_utf8(out.get_mut(used..)?.first_chunk_mut::<4>()?).len();
            at += length;
        }
        let length = marks.next(at)? - at;
        let (rest, room) = (bytes.get(at..)?, out.get_mut(used..)?);
        // What stands behind the run is written over afterwards.
        let is_copied = if length <= SHORT_STEP {
            copy::<SHORT_STEP>(rest, room)
        } else {
            length <= STEP && copy::<STEP>(rest, room)
        };
        if !is_copied {
            room.get_mut(..length)?.copy_from_slice(rest.get(..length)?);
        }
        (at, used) = (at + length, used + length);
        match bytes.get(at)? {
            b'\\' => {}
            b'"' => return Some((at, used)),
            _ => return None,
        }
    }
}

/// Copies so many bytes, where there are as many and room for them.
#[inline(always)]
fn copy<const N: usize>(from: &[u8], to: &mut [u8]) -> bool {
    let (Some(step), Some(room)) = (from.first_chunk::<N>(), to.first_chunk_mut::<N>()) else { return false };
    *room = *step;
    true
}

/// What an escape of one letter stands for, 0 where there is none.
#[inline(always)]
const fn character(letter: u8) -> u8 {
    match letter {
        b'"' | b'\\' | b'/' => letter,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => 0,
    }
}

/// The character that `\u0000` or a pair of these stands for, and how many bytes it takes.
#[inline(never)]
fn unicode(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let code = |at: usize| -> Option<u32> {
        let digits: &[u8; 4] = bytes.get(at..)?.strip_prefix(b"\\u")?.first_chunk()?;
        digits.iter().try_fold(0, |sum, digit| Some(sum << 4 | char::from(*digit).to_digit(16)?))
    };
    let high = code(at)?;
    if !(0xd800..0xdc00).contains(&high) {
        return Some((char::from_u32(high)?, 6));
    }
    let low = code(at + 6).filter(|low| (0xdc00..0xe000).contains(low))?;
    Some((char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))?, 12))
}
