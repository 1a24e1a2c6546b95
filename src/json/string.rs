//! Strings: where one ends, and what its escapes stand for.

use multiversion::multiversion;
use multiversion::target::match_target;

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
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vbmi+avx512vbmi2+popcnt"), attrs(allow(unused_variables)))]
pub(super) fn pass(bytes: &[u8], marks: &mut Marks<'_>, at: usize) -> Option<usize> {
    match_target! {
        "x86_64+avx512f+avx512bw+avx512vbmi+avx512vbmi2+popcnt" => x86::pass(bytes, at),
        _ => pass_one_by_one(bytes, marks, at),
    }
}

fn pass_one_by_one(bytes: &[u8], marks: &mut Marks<'_>, mut at: usize) -> Option<usize> {
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
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vbmi+avx512vbmi2+popcnt"), attrs(allow(unused_variables)))]
pub(super) fn unescape(
    bytes: &[u8],
    marks: &mut Marks<'_>,
    at: usize,
    out: &mut [u8],
    used: usize,
) -> Option<(usize, usize)> {
    match_target! {
        "x86_64+avx512f+avx512bw+avx512vbmi+avx512vbmi2+popcnt" => x86::unescape(bytes, at, out, used),
        _ => unescape_one_by_one(bytes, marks, at, out, used),
    }
}

/// The same with all escapes of a block at once.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::blocks::BLOCK;
    use super::super::blocks::x86::{Step, Stop, step};
    use super::{CHARACTERS, unicode};

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,popcnt")]
    pub(super) fn unescape(bytes: &[u8], mut at: usize, out: &mut [u8], mut used: usize) -> Option<(usize, usize)> {
        let mut letter = 0;
        loop {
            let Step { unescaped, written, stop, carry } = next_step(bytes, at, letter)?;
            *out.get_mut(used..)?.first_chunk_mut()? = unescaped;
            used += written;
            let Some(stop) = stop else {
                (at, letter) = (at + BLOCK, carry);
                continue;
            };
            match Stopped::of(bytes, at, &stop)? {
                Stopped::Quote(quote) => return Some((quote, used)),
                Stopped::Unicode(escape) => {
                    (at, letter) = (escape, 0);
                    // Where one stands mostly others follow.
                    while is_unicode(bytes, at) {
                        let (character, length) = unicode(bytes, at)?;
                        used += character.encode_utf8(out.get_mut(used..)?.first_chunk_mut::<4>()?).len();
                        at += length;
                    }
                }
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,popcnt")]
    pub(super) fn pass(bytes: &[u8], mut at: usize) -> Option<usize> {
        let mut letter = 0;
        loop {
            let Step { stop, carry, .. } = next_step(bytes, at, letter)?;
            let Some(stop) = stop else {
                (at, letter) = (at + BLOCK, carry);
                continue;
            };
            match Stopped::of(bytes, at, &stop)? {
                Stopped::Quote(quote) => return Some(quote),
                Stopped::Unicode(escape) => {
                    (at, letter) = (escape, 0);
                    while is_unicode(bytes, at) {
                        at += unicode(bytes, at)?.1;
                    }
                }
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,popcnt")]
    fn next_step(bytes: &[u8], at: usize, letter: u64) -> Option<Step> {
        let rest = bytes.get(at..)?;
        let characters = CHARACTERS.first_chunk()?;
        if let Some(block) = rest.first_chunk() {
            return Some(step(block, letter, characters));
        }
        let mut block = [b' '; BLOCK];
        block.get_mut(..rest.len())?.copy_from_slice(rest);
        Some(step(&block, letter, characters))
    }

    fn is_unicode(bytes: &[u8], at: usize) -> bool {
        bytes.get(at..at + 2) == Some(b"\\u")
    }

    enum Stopped {
        Quote(usize),
        /// An escape of more than one letter begins here.
        Unicode(usize),
    }

    impl Stopped {
        /// In the block that begins here. Nothing where the text is no string.
        #[inline]
        fn of(bytes: &[u8], block: usize, stop: &Stop) -> Option<Self> {
            let at = block + stop.at;
            if stop.is_letter {
                return is_unicode(bytes, at - 1).then_some(Self::Unicode(at - 1));
            }
            (*bytes.get(at)? == b'"').then_some(Self::Quote(at))
        }
    }
}

fn unescape_one_by_one(
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a string may consist of, and what it may not.
    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            8 => "[a-z ]{0,70}",
            4 => prop::sample::select(vec!["\\n", "\\\\", "\\\"", "\\/", "\\b", "\\f", "\\r", "\\t"]).prop_map(str::to_owned),
            2 => "(\\\\\\\\){1,40}",
            1 => "(\\\\u[0-9a-c][0-9a-f]{3}){1,30}",
            1 => prop::sample::select(vec!["\\u00e4", "\\ud83d\\ude00", "é", "😀", "\u{7f}"]).prop_map(str::to_owned),
        ];
        let refused = prop::sample::select(vec!["\\x", "\\u12", "\\ud83d", "\n", "\0", "\\é", "\"", "\\"]);
        (prop::collection::vec(piece, 0..12), prop::option::weighted(0.3, refused), "[a-z]{0,70}", any::<bool>())
            .prop_map(|(pieces, refused, end, is_closed)| {
                let closing = if is_closed { "\"" } else { "" };
                format!("\\n{}{}{end}{closing}", pieces.concat(), refused.unwrap_or_default()).into_bytes()
            })
    }

    type Unescape = fn(&[u8], &mut Marks<'_>, usize, &mut [u8], usize) -> Option<(usize, usize)>;

    fn unescaped(by: Unescape, text: &[u8], used: usize) -> Option<(usize, Vec<u8>)> {
        let mut out = vec![b'#'; used + text.len() + STEP];
        let (end, written) = by(text, &mut Marks::of(text), 0, &mut out, used)?;
        assert!(out[..used].iter().all(|byte| *byte == b'#'), "nothing before it is touched");
        Some((end, out[used..written].to_vec()))
    }

    proptest! {
        #[test]
        fn escapes_are_undone_alike_by_one_and_by_block(text in pieces(), more in "[a-z\"\\\\]{0,80}", used in 0..3_usize) {
            let text = [&text[..], more.as_bytes()].concat();
            let one_by_one = unescaped(unescape_one_by_one, &text, used);
            prop_assert_eq!(&unescaped(unescape, &text, used), &one_by_one);
            let end = one_by_one.as_ref().map(|(end, _)| *end);
            prop_assert_eq!(pass(&text, &mut Marks::of(&text), 0), end);
            prop_assert_eq!(pass_one_by_one(&text, &mut Marks::of(&text), 0), end);
            if let Some((end, unescaped)) = one_by_one {
                let quoted = [b"\"", &text[..=end]].concat();
                let known: String = serde_json::from_slice(&quoted).unwrap();
                prop_assert_eq!(unescaped, known.into_bytes());
            }
        }
    }

    #[test]
    fn every_letter_at_every_place_of_a_block_ends_escapes_one_or_does_not() {
        for letter in 0..=255 {
            for place in 0..130 {
                let text = [b"\\n", &vec![b'x'; place][..], b"\\", &[letter], &[b'y'; 70], b"\""].concat();
                let one_by_one = unescaped(unescape_one_by_one, &text, 0);
                assert_eq!(one_by_one.is_some(), b"\"\\/bfnrt".contains(&letter), "{letter} at {place}");
                assert_eq!(unescaped(unescape, &text, 0), one_by_one, "{letter} at {place}");
                assert_eq!(
                    pass(&text, &mut Marks::of(&text), 0),
                    one_by_one.map(|(end, _)| end),
                    "{letter} at {place}"
                );
            }
        }
    }
}
