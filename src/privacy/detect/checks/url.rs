//! A name and a password in a URL.

use std::ops::Range;

use super::lower;
use super::placeholder::{is_reference, is_stand_in};
use crate::privacy::detect::rule::Found;

/// `name:password` before the `@`, where the password is no placeholder; a token alone where it looks like one.
pub(in super::super) fn url_credentials(found: &Found<'_>) -> Option<Range<usize>> {
    let secret = found.secret();
    let colon = secret.iter().position(|byte| *byte == b':')?;
    let password = secret.get(colon + 1..)?;
    let name = secret.get(..colon)?;
    // `http://[::1]:8080/@x`, `https://host:443@x`: a port is no password.
    let is_port = password.len() <= 5 && password.iter().all(u8::is_ascii_digit) && name.contains(&b'.');
    let is_none = is_stand_in(password) || is_reference(name) && is_reference(password) || is_form(name, password);
    let start = found.secret.start + usize::from(name.is_empty());
    (!password.is_empty() && !is_port && !is_none).then_some(start..found.secret.end)
}

/// `user:password`: the two words that say what stands at their place.
fn is_form(name: &[u8], password: &[u8]) -> bool {
    const NAMES: &[&[u8]] = &[b"user", b"username", b"login", b"name", b"myuser", b"db_user", b"dbuser"];
    const PASSWORDS: &[&[u8]] =
        &[b"password", b"pass", b"passwd", b"pwd", b"mypassword", b"db_password", b"dbpassword"];
    NAMES.contains(&lower(name).as_slice()) && PASSWORDS.contains(&lower(password).as_slice())
}
