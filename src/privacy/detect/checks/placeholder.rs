//! Values that stand for a secret and are none: `<your-key>`, `${VAR}`, `changeme`, `xxxxxxxx`.

use super::lower;

/// Words that say of a value that it is none, in lower case.
const WORDS: &[&[u8]] = &[
    b"[redacted",
    b"redacted",
    b"placeholder",
    b"changeme",
    b"change_me",
    b"change-me",
    b"replace_me",
    b"replace-me",
    b"replaceme",
    b"replace_with",
    b"replace-with",
    b"replace_this",
    b"insert_",
    b"insert-",
    b"your_",
    b"your-",
    b"yourpass",
    b"yourtoken",
    b"yourkey",
    b"yourapi",
    b"yoursecret",
    b"_here",
    b"-here",
    b"goes_here",
    b"goeshere",
    b"todo",
    b"fixme",
    b"xxxx",
    b"****",
    b"....",
    b"\xe2\x80\xa2\xe2\x80\xa2",
    b"<your",
    b"example_key",
    b"example-key",
    b"dummy",
    b"not_a_real",
    b"not-a-real",
];

/// Values that are no secret as a whole, in lower case.
const WHOLE: &[&[u8]] = &[
    b"null",
    b"none",
    b"nil",
    b"undefined",
    b"true",
    b"false",
    b"yes",
    b"no",
    b"empty",
    b"unset",
    b"default",
    b"example",
    b"password",
    b"passwd",
    b"passphrase",
    b"pass",
    b"pwd",
    b"secret",
    b"token",
    b"key",
    b"apikey",
    b"api_key",
    b"api-key",
    b"test",
    b"string",
    b"str",
    b"text",
    b"value",
    b"xxx",
    b"***",
    b"...",
    b"n/a",
    b"na",
    b"tbd",
    b"hidden",
    b"masked",
    b"required",
    b"optional",
    b"username",
    b"user",
    b"foo",
    b"bar",
    b"foobar",
    b"abc",
    b"mypassword",
    b"my_password",
    b"my-password",
    b"mysecret",
    b"my-secret",
    b"my_secret",
    b"mytoken",
    b"my-token",
    b"my_token",
    b"credentials",
    b"env",
    b"omitted",
    b"removed",
    b"filtered",
    b"sample",
    b"demo",
    b"fake",
    b"mock",
    b"stub",
];

/// Whether a value stands for a secret and is none.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let lower = lower(value);
    let value = trim(&lower);
    is_reference(value) || WHOLE.contains(&value) || is_repeated(value) || WORDS.iter().any(|word| holds(value, word))
}

/// Whether a word stands in a value. One of letters alone has to stand apart: anything stands in what is random.
fn holds(value: &[u8], word: &[u8]) -> bool {
    let Some(at) = memchr::memmem::find(value, word) else { return false };
    let apart = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let before = apart(at.checked_sub(1).and_then(|before| value.get(before)));
    let after = apart(value.get(at + word.len()));
    let is_edge = |byte: Option<&u8>| byte.is_some_and(|byte| !byte.is_ascii_alphabetic());
    (before || is_edge(word.first())) && (after || is_edge(word.last())) || word.iter().all(|byte| *byte == b'x')
}

/// Whether a value says that it is none, as a whole or in part: without the words that somebody may have for a password.
pub(super) fn is_stand_in(value: &[u8]) -> bool {
    let lower = lower(value);
    is_reference(&lower) || is_repeated(&lower) || WORDS.iter().any(|word| holds(&lower, word))
}

/// Whether a value names where the secret is: a variable, a template, a call.
pub(super) fn is_reference(value: &[u8]) -> bool {
    let has = |part: &[u8]| memchr::memmem::find(value, part).is_some();
    match value {
        [b'<', ..] => value.contains(&b'>') || value.len() < 3 || value.get(1).is_some_and(u8::is_ascii_alphabetic),
        [b'$', b'{' | b'(' | b'[', ..] | [b'{', b'{' | b'%', ..] | [b'#', b'{', ..] | [b'@', b'{', ..] => true,
        [b'$', name @ ..] => {
            !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b':')
        }
        [b'%', name @ .., b'%'] => {
            !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        }
        [b'%', b'(', ..] | [b'%', b's' | b'd' | b'v'] => true,
        [b'{', .., b'}'] | [b'[', .., b']'] => true,
        _ => has(b"${") || has(b"{{") || has(b"$(") || has(b"%s"),
    }
}

/// Whether a value is one byte again and again, of those that people write for what they leave out.
fn is_repeated(value: &[u8]) -> bool {
    match value {
        [] => true,
        [first, rest @ ..] => {
            let filler = b"x*.-_0#?".contains(first) || value.len() >= 8;
            filler && value.len() >= 3 && rest.iter().all(|byte| byte == first)
        }
    }
}

fn trim(value: &[u8]) -> &[u8] {
    let is_edge = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`\\".contains(byte);
    let start = value.iter().position(|byte| !is_edge(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_edge(byte)).map_or(start, |last| last + 1);
    value.get(start..end).unwrap_or_default()
}
