//! Blocks of private keys (RFC 7468, OpenSSH's, OpenPGP's), on lines of their own, on one line, or joined in code.

use std::ops::Range;

use crate::privacy::detect::rule::Found;

/// No block is longer, in bytes. What follows stays as it is.
const MOST: usize = 64 << 10;

/// From the pattern's `-----BEGIN … PRIVATE KEY-----` to the end of the block, or of what looks like its body.
pub(in super::super) fn private_key(found: &Found<'_>) -> Option<Range<usize>> {
    let start = found.whole.start;
    let mut at = found.whole.end;
    let text = found.text.get(..found.text.len().min(start + MOST))?;
    let body = at;
    let mut end = at;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(after) = rest.strip_prefix(b"-----END ") {
            let line = after.iter().take_while(|byte| byte.is_ascii_uppercase() || **byte == b' ').count();
            let dashes = after.get(line..).unwrap_or_default().iter().take_while(|byte| **byte == b'-').count();
            return Some(start..at + b"-----END ".len() + line + dashes);
        }
        let length = piece(rest);
        if length == 0 {
            break;
        }
        at += length;
        let is_body = rest.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte));
        end = if is_body { at } else { end };
    }
    // Cut off: a key if enough of its body is there.
    (end - body >= 40).then_some(start..end)
}

/// How many bytes of a block's body come next: base64, breaks of lines, headers, and what joins lines in code.
fn piece(rest: &[u8]) -> usize {
    let count = |rest: &[u8], is: fn(&u8) -> bool| rest.iter().take_while(|byte| is(byte)).count();
    match rest {
        [b'\\', b'n' | b'r' | b't', ..] => 2,
        [b'\\', b'\\' | b'\n' | b'\r' | b'/', ..] => 1,
        [b'"' | b'\'' | b'`', ..] => joint(rest),
        [byte, ..] if byte.is_ascii_whitespace() => count(rest, u8::is_ascii_whitespace),
        [byte, ..] if byte.is_ascii_alphanumeric() || b"+/=".contains(byte) => {
            let run = count(rest, |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte));
            let after = rest.get(run..).unwrap_or_default();
            match after {
                // `Proc-Type: 4,ENCRYPTED`, `DEK-Info: AES-128-CBC,…`, `Version: …`, `Comment: …`
                [b':' | b'-', ..] if run < 20 && !after.starts_with(b"-----") => {
                    count(rest, |byte| byte.is_ascii_alphanumeric() || b"+/=-:,. ()".contains(byte))
                }
                _ => run,
            }
        }
        // A mark of a diff, or of a quotation, at the beginning of a line.
        [b'+' | b'>' | b'|' | b'#' | b'*', ..] => 1,
        _ => 0,
    }
}

/// The end of one literal and the beginning of the next: `" +\n  "`, `",\n"`.
fn joint(rest: &[u8]) -> usize {
    let between =
        rest.iter().skip(1).take_while(|byte| byte.is_ascii_whitespace() || b"+.,\\&_".contains(byte)).count();
    let again = rest.get(1 + between).is_some_and(|byte| rest.first() == Some(byte));
    let body = rest.get(2 + between..).unwrap_or_default();
    let run = body.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte)).count();
    if again && (run >= 16 || body.starts_with(b"-----END ") || body.starts_with(b"\\n")) { 2 + between } else { 0 }
}
