//! Words, patterns and places that stand where a secret could.

use crate::privacy::detect::checks::lower;

/// Words of a type, a state or a sentence that stand where a password could, in lower case.
const WORDS: &str = " string str text number bool boolean bytes byte int integer char varchar any unknown object array list map void never \
     required optional missing invalid incorrect wrong expired empty blank needed mandatory forbidden allowed disabled enabled hidden \
     valid weak strong short long changed updated reset set sent stored saved encrypted hashed protected protection hash salt value values \
     field input label prompt stdin file env environment variable variables manager policy reset-password username user login email name \
     yes no true false null none nil undefined default auto generated random unset readonly the and or for from with your our this that \
     must should may can will is are was be not no to of in on at by as if it its an a column plain plaintext plain-text md5 sha1 sha256 sha512 bcrypt argon2 \
     base64 utf8 utf-8 utf_8 trust peer ident certificate cert key ssl tls option options argument arguments flag parameter param type types data \
     please enter choose forgot forgotten confirm current new old same different match matches mismatch error failed failure success verification \
     authentication authorization access denied granted change recovery hint strength length minimum maximum provided given supplied \
     contraseña contrasena passwort kennwort senha wachtwoord parola hasło heslo пароль 密码 パスワード 비밀번호 motdepasse mot redacted masked secretstr secretstring vault kms keychain keyring \
     obrigatória obrigatório obligatoria obligatorio requerida requerido obbligatoria incorrecta incorrecto incorreta inválida inválido errata \
     requis requise obligatoire invalide incorrect oubliée erforderlich ungültig falsch vergessen abgelaufen wymagane nieprawidłowe błędne verplicht \
     неверный обязателен обязательно забыт 必填 错误 無効 필수 \
     here there below above later again already also only needs shared rotate rotated leaked compromised somewhere nowhere nothing something anything anyone everyone ";

/// Whether a value is such a word.
pub(super) fn is_stop_word(value: &[u8]) -> bool {
    let lower = lower(value);
    let trimmed = lower
        .iter()
        .rposition(|byte| !b"!?.,:;*_-".contains(byte))
        .and_then(|last| lower.get(..=last))
        .unwrap_or_default();
    // As a word of its own: the list has blanks around each.
    !trimmed.is_empty()
        && memchr::memmem::find_iter(WORDS.as_bytes(), trimmed).any(|at| {
            let is_blank = |byte: Option<&u8>| byte == Some(&b' ');
            is_blank(at.checked_sub(1).and_then(|before| WORDS.as_bytes().get(before)))
                && is_blank(WORDS.as_bytes().get(at + trimmed.len()))
        })
}

/// Whether a value repeats a secret's name, as variables and texts of forms do.
pub(super) fn repeats_name(value: &[u8]) -> bool {
    const NAMES: &[&[u8]] = &[
        b"password",
        b"passwd",
        b"passwort",
        b"kennwort",
        b"passphrase",
        b"secret",
        b"credential",
        b"token",
        b"pwd",
        b"psk",
        b"contrase",
        b"senha",
    ];
    let lower = lower(value);
    NAMES.iter().any(|name| memchr::memmem::find(&lower, name).is_some())
}

/// `.*`, `[^"]+`: a pattern, as commands that replace have it.
pub(super) fn is_pattern(value: &[u8]) -> bool {
    [&b".*"[..], b".+", b"[^", b"\\S", b"(.*", b"\\(.*"].iter().any(|start| value.starts_with(start))
}

/// Whether a value says where something is.
pub(super) fn is_path(value: &[u8]) -> bool {
    let path =
        value.starts_with(b"/") || value.starts_with(b"~/") || value.starts_with(b"./") || value.starts_with(b"../");
    let drive = matches!(value, [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic());
    let reference = [
        &b"arn:"[..],
        b"http://",
        b"https://",
        b"file://",
        b"vault:",
        b"projects/",
        b"op://",
        b"sm://",
        b"ssm:",
        b"env:",
        b"secretref",
    ]
    .iter()
    .any(|start| value.get(..start.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(start)));
    let plain = value.iter().all(|byte| byte.is_ascii_lowercase() || b"/_.-".contains(byte));
    path && (plain || value.iter().filter(|byte| **byte == b'/').count() > 1)
        || value.starts_with(b"~/")
        || drive
        || reference
}
