//! Escapes in strings: which character one stands for, and how RFC 8785 writes that character.

/// An escape sequence, read.
pub(super) struct Escape {
    /// The character that it stands for.
    pub(super) character: char,
    /// How many bytes of input it takes.
    pub(super) length: usize,
}

/// Reads the escape that `bytes` begins with, backslash first. Nothing for half a surrogate pair.
pub(super) fn read(bytes: &[u8]) -> Option<Escape> {
    let character = match bytes.get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return read_unicode(bytes),
        _ => return None,
    };
    Some(Escape { character, length: 2 })
}

fn read_unicode(bytes: &[u8]) -> Option<Escape> {
    let first = hex(bytes.get(2..6)?)?;
    if !(0xd800..0xe000).contains(&first) {
        return Some(Escape { character: char::from_u32(first)?, length: 6 });
    }
    let second = match bytes.get(6..12)? {
        [b'\\', b'u', digits @ ..] => hex(digits)?,
        _ => return None,
    };
    if first >= 0xdc00 || !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    let character = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))?;
    Some(Escape { character, length: 12 })
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| Some(sum << 4 | char::from(*digit).to_digit(16)?))
}

/// Writes a character as RFC 8785 does inside a string: escaped only where JSON demands it, in the shortest way.
pub(super) fn write(character: char, out: &mut Vec<u8>) {
    let letter = match character {
        '"' => b'"',
        '\\' => b'\\',
        '\u{8}' => b'b',
        '\u{c}' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        ..' ' => {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            let code = character as usize;
            out.extend_from_slice(b"\\u00");
            out.extend([code >> 4, code & 15].iter().filter_map(|digit| HEX.get(*digit)));
            return;
        }
        _ => {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

/// Writes a whole string, quotes included.
pub(in super::super) fn write_string(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    out.push(b'"');
    loop {
        let (plain, special) = rest.split_at(super::scan::plain_run(rest));
        out.extend_from_slice(plain);
        // What ends a run is ASCII, so the byte is the character.
        let Some((byte, after)) = special.split_first() else { break };
        write(char::from(*byte), out);
        rest = after;
    }
    out.push(b'"');
}

/// The characters of a string that has been read without error, without its quotes.
pub(super) fn unescape(string: &[u8], out: &mut Vec<u8>) {
    let mut rest = string;
    while let Some(place) = rest.iter().position(|byte| *byte == b'\\') {
        let (plain, escaped) = rest.split_at(place);
        out.extend_from_slice(plain);
        let Some(escape) = read(escaped) else { return };
        out.extend_from_slice(escape.character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = escaped.get(escape.length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}
