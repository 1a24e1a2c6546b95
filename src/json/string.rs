//! Strings: where one ends, and what its escapes stand for.

use super::marks::Marks;

/// The bytes that may be written beyond what was unescaped: what a run between two escapes mostly fits in.
pub(super) const STEP: usize = 64;

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
        let (rest, room) = (bytes.get(at..)?, out.get_mut(used..)?);
        // What text mostly has: an escape of one letter, and a run that is copied in one step. What stands behind the run is
        // written over afterwards.
        if let (Some([_, letter, run @ ..]), Some([place, step @ ..])) =
            (rest.first_chunk::<{ 2 + STEP }>(), room.first_chunk_mut::<{ 1 + STEP }>())
            && character(*letter) != 0
        {
            *place = character(*letter);
            let end = marks.next(at + 2)?;
            let length = end - (at + 2);
            if length <= STEP {
                copy(run, step, length);
            } else {
                room.get_mut(1..=length)?.copy_from_slice(bytes.get(at + 2..end)?);
            }
            (at, used) = (end, used + 1 + length);
        } else {
            let (character, escape) = any_character(bytes, at)?;
            let encoded = character.encode_utf8(room.first_chunk_mut::<4>()?).len();
            let end = marks.next(at + escape)?;
            let run = bytes.get(at + escape..end)?;
            room.get_mut(encoded..encoded + run.len())?.copy_from_slice(run);
            (at, used) = (end, used + encoded + run.len());
        }
        match bytes.get(at)? {
            b'\\' => {}
            b'"' => return Some((at, used)),
            _ => return None,
        }
    }
}

/// Copies at least so many bytes, and no more than there are. As numbers: a copy of bytes whose length is one of several
/// becomes a call of `memcpy`, which takes longer than the copy.
#[inline(always)]
fn copy(from: &[u8; STEP], to: &mut [u8; STEP], length: usize) {
    let steps = from.as_chunks::<16>().0.iter().zip(to.as_chunks_mut::<16>().0);
    for (number, (step, room)) in steps.enumerate() {
        // Two of them cost no more than to ask for the second.
        if number % 2 == 0 && number * 16 >= length {
            break;
        }
        *room = u128::from_ne_bytes(*step).to_ne_bytes();
    }
}

/// What an escape of one letter stands for, 0 where there is none.
#[inline(always)]
fn character(letter: u8) -> u8 {
    // Looked up: text has escapes of all kinds, and no processor guesses which one is next.
    CHARACTERS.get(usize::from(letter)).copied().unwrap_or_default()
}

static CHARACTERS: [u8; 256] = {
    let mut characters = [0; 256];
    let mut letter = 0_u8;
    while letter < 128 {
        #[allow(clippy::indexing_slicing)]
        {
            characters[letter as usize] = match letter {
                b'"' | b'\\' | b'/' => letter,
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                _ => 0,
            };
        }
        letter += 1;
    }
    characters
};

/// The character that an escape stands for, and how many bytes it takes.
fn any_character(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    match character(*bytes.get(at + 1)?) {
        0 => unicode(bytes, at),
        letter => Some((char::from(letter), 2)),
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
