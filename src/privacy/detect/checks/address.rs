//! E-mail addresses, told from the many other uses of `@`.

use std::ops::Range;

use super::{lower, top_level};
use crate::privacy::detect::rule::Found;

/// Names before an `@` that are no mailbox: accounts of repositories, and words of programming languages.
const NO_MAILBOX: &[&[u8]] =
    &[b"git", b"hg", b"svn", b"this", b"super", b"self", b"return", b"break", b"continue", b"npm", b"yarn"];

/// An address whose domain can be one.
pub(in super::super) fn email(found: &Found<'_>) -> Option<Range<usize>> {
    let secret = found.secret();
    let at = memchr::memchr(b'@', secret)?;
    // A quote before an address is not of it, although one may stand inside.
    let quotes = secret.iter().take_while(|byte| b"'.-+%".contains(byte)).count();
    let name = secret.get(quotes..at)?;
    let mut domain = secret.get(at + 1..)?;
    // A dot ends a sentence, a dash stands for a pause.
    while let [rest @ .., b'.' | b'-'] = domain {
        domain = rest;
    }
    let end = found.secret.start + at + 1 + domain.len();
    let after = found.text.get(end..).unwrap_or_default();
    // `git@host:group/project.git`, `user@host:~/folder`
    let is_remote = matches!(after, [b':', b'/' | b'~', ..]);
    let in_url = stands_in_authority(found.text.get(..found.secret.start).unwrap_or_default());
    let is_mailbox = !name.is_empty() && !NO_MAILBOX.contains(&lower(name).as_slice());
    (is_mailbox && !is_remote && !in_url && is_domain(domain)).then_some(found.secret.start + quotes..end)
}

/// Whether what comes before leads into the part of a URL before its host: `postgres://user:`.
fn stands_in_authority(before: &[u8]) -> bool {
    const MOST: usize = 200;
    let recent = before.get(before.len().saturating_sub(MOST)..).unwrap_or_default();
    let token = recent
        .iter()
        .rposition(|byte| byte.is_ascii_whitespace() || b"\"'<>".contains(byte))
        .map_or(recent, |at| recent.get(at + 1..).unwrap_or_default());
    let Some(authority) = memchr::memmem::rfind(token, b"://").and_then(|at| token.get(at + 3..)) else { return false };
    !authority.iter().any(|byte| b"/?#".contains(byte))
}

fn is_domain(domain: &[u8]) -> bool {
    let mut labels = domain.split(|byte| *byte == b'.');
    let first = labels.next().unwrap_or_default();
    // `vue@3.2.1`, `icon@2x.png`
    let is_version = first.first().is_some_and(u8::is_ascii_digit)
        && first.iter().filter(|byte| byte.is_ascii_alphabetic()).count() <= 1;
    let whole = domain.split(|byte| *byte == b'.').all(|label| !label.is_empty() && label.first() != Some(&b'-'));
    let Some(last) = domain.rsplit(|byte| *byte == b'.').next() else { return false };
    whole && !is_version && domain.contains(&b'.') && top_level::is_one(last)
}

/// An address that is not the beginning of a longer dotted number.
pub(in super::super) fn ipv4(found: &Found<'_>) -> Option<Range<usize>> {
    let dotted = |byte: Option<&u8>| byte == Some(&b'.');
    let before = found.secret.start.checked_sub(1).and_then(|before| found.text.get(before));
    let after = found.text.get(found.secret.end);
    let goes_on = dotted(after) && found.text.get(found.secret.end + 1).is_some_and(u8::is_ascii_digit);
    (!dotted(before) && !goes_on).then(|| found.secret.clone())
}
