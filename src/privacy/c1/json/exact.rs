//! Whether a text is its own canonical form, told without writing anything: arguments mostly come so.
//!
//! Says no where it is not sure: whoever asks then writes the canonical form, which may be the same. What has been read is
//! handed on at once, block by block: a processor that waits for one round of a digest after the other has time for this.

use smallvec::SmallVec;

use super::member::compare_utf16;
use super::{MAX_DEPTH, number, scan};

/// What a digest takes at once, in bytes.
const BLOCK: usize = 64;

/// Whether `input`, which is UTF-8, is certainly its own canonical form. `seen` is given all of it, from its beginning and
/// in pieces, whatever the answer.
pub(super) fn is_canonical<'a>(input: &'a [u8], mut seen: impl FnMut(&'a [u8])) -> bool {
    let mut unseen = input;
    let is_canonical = read(input, |rest| {
        let behind = unseen.len().saturating_sub(rest);
        if behind >= BLOCK
            && let Some((blocks, after)) = unseen.split_at_checked(behind - behind % BLOCK)
        {
            seen(blocks);
            unseen = after;
        }
    });
    seen(unseen);
    is_canonical.is_some()
}

/// Something where all of it is canonical. What is looked at stays in variables of this function: as fields of a reader
/// that functions are given they are in memory, and each token waits for the one before it to get there.
#[inline(always)]
fn read(input: &[u8], mut left: impl FnMut(usize)) -> Option<()> {
    let mut rest = input;
    let mut depth = 0_usize;
    // Of an object that is innermost its last key, of an array nothing; and the same of those around it.
    let mut last: Option<&[u8]> = None;
    let mut around: SmallVec<[Option<&[u8]>; 16]> = SmallVec::new();
    loop {
        left(rest.len());
        let mut begins_object = false;
        let (first, after) = rest.split_first()?;
        match first {
            b'"' => rest = string(after)?.after,
            b'0'..=b'9' | b'-' => rest = number(rest)?,
            b'{' | b'[' => {
                if depth == MAX_DEPTH {
                    return None;
                }
                if depth > 0 {
                    around.push(last);
                }
                depth += 1;
                rest = after;
                let next = *rest.first()?;
                if *first == b'{' {
                    last = Some(b"");
                    begins_object = next != b'}';
                } else {
                    last = None;
                    if next != b']' {
                        continue;
                    }
                }
            }
            b't' => rest = after.strip_prefix(b"rue")?,
            b'f' => rest = after.strip_prefix(b"alse")?,
            b'n' => rest = after.strip_prefix(b"ull")?,
            _ => return None,
        }
        if !begins_object {
            rest = match closed(rest, &mut depth, &mut last, &mut around)? {
                Some(rest) => rest,
                None => return Some(()),
            };
        }
        if let Some(before) = last {
            let key = string(rest.strip_prefix(b"\"")?)?;
            // In what order keys with escapes stand is not seen here.
            if key.has_escapes || !begins_object && !comes_after(before, key.characters) {
                return None;
            }
            rest = key.after.strip_prefix(b":")?;
            last = Some(key.characters);
        }
    }
}

/// What comes behind a value, and behind all that closes with it: nothing at the end of the text.
#[inline(always)]
fn closed<'a>(
    mut rest: &'a [u8],
    depth: &mut usize,
    last: &mut Option<&'a [u8]>,
    around: &mut SmallVec<[Option<&'a [u8]>; 16]>,
) -> Option<Option<&'a [u8]>> {
    loop {
        if *depth == 0 {
            return rest.is_empty().then_some(None);
        }
        let (next, after) = rest.split_first()?;
        rest = after;
        match (next, last.is_some()) {
            (b',', _) => return Some(Some(rest)),
            (b'}', true) | (b']', false) => {
                *depth -= 1;
                *last = around.pop().flatten();
            }
            _ => return None,
        }
    }
}

/// A string behind its first quote.
struct Text<'a> {
    characters: &'a [u8],
    has_escapes: bool,
    /// What comes behind its last quote.
    after: &'a [u8],
}

#[inline(always)]
fn string(rest: &[u8]) -> Option<Text<'_>> {
    if let Some(length) = scan::short_run(rest)
        && let Some((characters, [b'"', after @ ..])) = rest.split_at_checked(length)
    {
        return Some(Text { characters, has_escapes: false, after });
    }
    long_string(rest)
}

#[inline(never)]
fn long_string(rest: &[u8]) -> Option<Text<'_>> {
    let (length, has_escapes) = scan::string_run(rest);
    // An escape that may have to be written in another way, or a character that must not stand there.
    let (characters, [b'"', after @ ..]) = rest.split_at_checked(length)? else { return None };
    Some(Text { characters, has_escapes, after })
}

/// Whether a key comes after the one before it. Mostly the first character tells.
#[inline(always)]
fn comes_after(before: &[u8], key: &[u8]) -> bool {
    match (before.first(), key.first()) {
        (Some(a), Some(b)) if a != b && (a | b).is_ascii() => a < b,
        _ => compare_utf16(before, key).is_lt(),
    }
}

#[inline(always)]
fn number(rest: &[u8]) -> Option<&[u8]> {
    match number::short(rest) {
        Some(length) => rest.get(length..),
        None => long_number(rest),
    }
}

#[inline(never)]
fn long_number(rest: &[u8]) -> Option<&[u8]> {
    let number = number::read(rest)?;
    let (literal, after) = rest.split_at_checked(number.length)?;
    let mut buffer = ryu_js::Buffer::new();
    (number.format(literal, &mut buffer)? == literal).then_some(after)
}
