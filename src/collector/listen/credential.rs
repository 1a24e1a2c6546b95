//! Bearer tokens (RFC 6750), compared in a time that says nothing of them.

use std::fmt;
use std::io::{self, Read};

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::ExposeSecret;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::super::config::Token;

/// Shorter ones can be guessed.
const LEAST: usize = 16;
pub(super) const MOST: usize = 4096;

/// What a caller has to bring. Keeps no token: a keyed hash of it, under a key of this process life.
pub(super) struct Credential {
    key: Zeroizing<[u8; 32]>,
    tag: Zeroizing<[u8; 32]>,
}

impl Credential {
    /// The token itself, or the one in a file, without the newline behind it.
    pub(super) fn read(token: &Token) -> io::Result<Self> {
        match token {
            Token::Value(token) => Self::of(token.expose_secret().as_bytes()),
            Token::File(path) => {
                let mut bytes = Zeroizing::new(Vec::with_capacity(MOST + 2));
                std::fs::File::open(path)?.take(MOST as u64 + 2).read_to_end(&mut bytes)?;
                Self::of(bytes.strip_suffix(b"\n").map_or(&**bytes, |line| line.strip_suffix(b"\r").unwrap_or(line)))
            }
        }
    }

    fn of(token: &[u8]) -> io::Result<Self> {
        let is_plain = token.iter().all(u8::is_ascii_graphic);
        if !is_plain || !(LEAST..=MOST).contains(&token.len()) {
            let problem = "a token has 16 to 4096 visible ASCII characters";
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *key).map_err(|_| io::Error::other("no random bytes"))?;
        let tag = Zeroizing::new(mac(&*key, token)?.finalize().into_bytes().into());
        Ok(Self { key, tag })
    }

    /// Whether these headers bring it, once.
    pub(super) fn is_brought(&self, headers: &HeaderMap) -> bool {
        let mut brought = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (brought.next(), brought.next()) else { return false };
        let Some((scheme, token)) = value.as_bytes().split_at_checked(7) else { return false };
        if !scheme.eq_ignore_ascii_case(b"bearer ") {
            return false;
        }
        mac(&*self.key, token.trim_ascii_start()).is_ok_and(|mac| mac.verify_slice(&*self.tag).is_ok())
    }
}

fn mac(key: &[u8], token: &[u8]) -> io::Result<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| io::Error::other("no key"))?;
    mac.update(token);
    Ok(mac)
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_token_is_brought_whole_once_and_as_a_bearer() {
        let credential = Credential::of(b"0123456789abcdef").unwrap();
        assert!(credential.is_brought(&headers(&["Bearer 0123456789abcdef"])));
        assert!(credential.is_brought(&headers(&["bearer  0123456789abcdef"])));
        for wrong in [
            &[][..],
            &["0123456789abcdef"],
            &["Bearer "],
            &["Bearer"],
            &["Bearer 0123456789abcde"],
            &["Bearer 0123456789abcdefg"],
            &["Basic 0123456789abcdef"],
            &["Bearer 0123456789abcdef", "Bearer 0123456789abcdef"],
        ] {
            assert!(!credential.is_brought(&headers(wrong)), "{wrong:?}");
        }
        assert!(!format!("{credential:?}").contains("0123"));
    }

    #[test]
    fn a_file_holds_a_token_and_perhaps_a_newline() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        for (content, is_token) in [
            ("0123456789abcdef", true),
            ("0123456789abcdef\n", true),
            ("0123456789abcdef\r\n", true),
            ("0123456789abcdef\n\n", false),
            ("two words 0123456789", false),
            ("short", false),
            ("", false),
        ] {
            std::fs::write(&file, content).unwrap();
            let credential = Credential::read(&Token::File(file.clone()));
            assert_eq!(credential.is_ok(), is_token, "{content:?}");
            let brought = credential.map(|credential| credential.is_brought(&headers(&["Bearer 0123456789abcdef"])));
            assert!(brought.unwrap_or(true));
        }
        std::fs::write(&file, vec![b'x'; MOST + 1]).unwrap();
        assert!(Credential::read(&Token::File(file)).is_err());
        assert!(Credential::read(&Token::File(folder.path().join("none"))).is_err());
    }
}
