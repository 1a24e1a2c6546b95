//! Secrets by their name: `password=…`, `"apiKey": "…"`, `--token …`, `DB_PASS: …`, in files, code, commands and prose.
//!
//! A pattern finds the name; what is assigned to it is read by hand (`read`), since quotes, brackets and what ends a value
//! differ from language to language, and judged (`password`, `secret`): names of variables, types, placeholders and prose
//! follow names too.

mod given;
mod name;
mod parts;
mod read;
mod value;
mod words;

use std::ops::Range;

use super::entropy;
use super::placeholder;
use crate::privacy::detect::rule::{Found, end_of_token};
use name::Name;

/// What a name of a password is given, where it can be one.
pub(in super::super) fn password(found: &Found<'_>) -> Option<Range<usize>> {
    let name = Name::around(found.text, found.whole.clone())?;
    let value = read::value(found.text, &name)?;
    value::is_password(&name, &value).then(|| whole(found.text, value.range))
}

/// What a name of a key, a token or another secret is given, where it looks drawn at random.
pub(in super::super) fn secret(found: &Found<'_>) -> Option<Range<usize>> {
    let name = Name::around(found.text, found.whole.clone())?;
    let value = read::value(found.text, &name)?.before_host();
    value::is_secret(&name, &value).then(|| whole(found.text, value.range))
}

/// What a name that ends in `key` is given, where the name is of something that opens and the value looks drawn at random.
pub(in super::super) fn key(found: &Found<'_>) -> Option<Range<usize>> {
    let name = Name::around(found.text, found.whole.clone())?;
    if !name.is_key_of_service() && !name.signs() {
        return None;
    }
    let value = read::value(found.text, &name)?;
    ((value.range.len() >= 16 || name.signs()) && value::is_secret(&name, &value))
        .then(|| whole(found.text, value.range))
}

/// A value that is longer than is looked at goes on as a token does.
fn whole(text: &[u8], value: Range<usize>) -> Range<usize> {
    let end = if value.len() >= read::LONGEST { end_of_token(text, value.end) } else { value.end };
    value.start..end
}
