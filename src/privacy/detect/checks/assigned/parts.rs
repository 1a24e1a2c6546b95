//! Words of a name: what is before a secret's and behind it says whether the name is of one.

use smallvec::SmallVec;

use crate::privacy::detect::checks::lower;

/// What may follow a secret's word in a name, in lower case: what else follows makes it the name of something else.
const ENDINGS: &[&[u8]] = &[
    b"",
    b"confirm",
    b"confirmation",
    b"again",
    b"repeat",
    b"old",
    b"new",
    b"current",
    b"prod",
    b"production",
    b"dev",
    b"development",
    b"test",
    b"staging",
    b"stage",
    b"live",
    b"sandbox",
    b"value",
    b"plain",
    b"plaintext",
    b"text",
    b"string",
    b"str",
    b"base",
    b"env",
    b"main",
    b"primary",
    b"secondary",
    b"default",
    b"admin",
    b"root",
    b"user",
    b"db",
    b"a",
    b"b",
    b"key",
    b"rw",
    b"ro",
    b"us",
    b"eu",
];

/// Words before a token's that make it a token of something else, in lower case.
const NO_SECRET: &[&[u8]] = &[
    b"page",
    b"next",
    b"continuation",
    b"cursor",
    b"sync",
    b"cancel",
    b"cancellation",
    b"pad",
    b"eos",
    b"bos",
    b"unk",
    b"mask",
    b"sep",
    b"cls",
    b"max",
    b"min",
    b"num",
    b"total",
    b"prompt",
    b"completion",
    b"input",
    b"output",
    b"stop",
    b"start",
    b"end",
    b"syntax",
    b"special",
    b"public",
    b"device",
    b"design",
    b"stopping",
    b"first",
    b"last",
    b"resume",
    b"pagination",
    b"scroll",
    b"lock",
    b"fencing",
    b"change",
    b"delta",
    b"image",
];

/// The words of a name, by its marks and capitals: `db_apiKey` is `db`, `api`, `Key`.
pub(super) fn words(name: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    let mut words: SmallVec<[&[u8]; 12]> = SmallVec::new();
    for part in name.split(|byte| !byte.is_ascii_alphanumeric()) {
        let mut from = 0;
        for (at, pair) in part.windows(2).enumerate() {
            if matches!(pair, [last, next] if last.is_ascii_lowercase() && next.is_ascii_uppercase()) {
                words.push(part.get(from..=at).unwrap_or_default());
                from = at + 1;
            }
        }
        words.push(part.get(from..).unwrap_or_default());
    }
    words.into_iter()
}

/// Whether a word of a name is one of these, in any case.
pub(super) fn is_one_of(words: &[&[u8]], word: &[u8]) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Whether what follows a secret's word leaves the name one of it.
pub(super) fn is_ending(ending: &[u8]) -> bool {
    let lower = lower(ending);
    let mut parts = lower.split(|byte| b"_-.".contains(byte));
    let mut rest = parts.clone();
    let first = rest.next().unwrap_or_default();
    // `passwords` is none, `password1` is, and so is `passwordConfirm`, in that case alone.
    let camel =
        ending.first().is_some_and(u8::is_ascii_uppercase) || first.is_empty() || first.iter().all(u8::is_ascii_digit);
    camel && parts.all(|part| ENDINGS.contains(&part) || part.iter().all(u8::is_ascii_digit))
}

/// `dbpass`, `storepass`: whose password it is, glued to a short word for one.
pub(super) fn is_owner(leading: &[u8]) -> bool {
    const OWNERS: &[&[u8]] = &[
        b"db",
        b"user",
        b"usr",
        b"store",
        b"key",
        b"root",
        b"admin",
        b"my",
        b"smtp",
        b"mail",
        b"ftp",
        b"ssh",
        b"sudo",
        b"wifi",
        b"login",
        b"proxy",
        b"redis",
        b"mysql",
        b"pg",
        b"sql",
        b"ldap",
        b"account",
        b"trust",
        b"become",
        b"src",
        b"dest",
        b"dst",
        b"bind",
        b"auth",
        b"access",
        b"api",
        b"bot",
        b"bearer",
        b"refresh",
        b"jwt",
        b"zugriffs",
        b"zugangs",
    ];
    let owner = lower(leading.rsplit(|byte| !byte.is_ascii_alphanumeric()).next().unwrap_or_default());
    // `srcstore` is two of them.
    let after = |owner: &[u8]| OWNERS.iter().find_map(|word| owner.strip_suffix(*word).map(<[u8]>::len));
    let mut left = after(&owner);
    while let Some(length) = left.filter(|length| *length > 0) {
        left = owner.get(..length).and_then(after);
    }
    left == Some(0)
}

/// Whether what stands before a token's word makes it a token of another thing.
pub(super) fn is_of_something_else(leading: &[u8]) -> bool {
    let lower = lower(leading);
    let lower = lower.strip_suffix(b"_").or(lower.strip_suffix(b"-")).unwrap_or(&lower);
    NO_SECRET.iter().any(|word| {
        lower.strip_suffix(*word).is_some_and(|rest| {
            let at = rest.len();
            // A word of its own: `next_`, `nextPage`, not `context` or `RSYNC`.
            let last = at.checked_sub(1).and_then(|last| leading.get(last));
            last.is_none_or(|byte| !byte.is_ascii_alphabetic())
                || last.is_some_and(u8::is_ascii_lowercase) && leading.get(at).is_some_and(u8::is_ascii_uppercase)
                || NO_SECRET.iter().any(|other| rest.ends_with(other))
        })
    })
}
