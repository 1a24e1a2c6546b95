//! JSON Web Tokens (RFC 7519): three parts, or five, of base64, the first of which decodes to JSON with an `alg`.

use std::ops::Range;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::privacy::detect::rule::Found;

/// No header is longer, in characters of base64.
const HEADER: usize = 4096;

/// The whole token, however long. The pattern has found where it begins.
pub(in super::super) fn jwt(found: &Found<'_>) -> Option<Range<usize>> {
    let start = found.whole.start;
    let bytes = found.text.get(start..)?;
    let part = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte)).count()
    };
    let header = part(0);
    if header > HEADER || !is_header(bytes.get(..header)?) {
        return None;
    }
    let mut end = header;
    let mut parts = 1;
    while parts < 5 && bytes.get(end) == Some(&b'.') {
        let length = part(end + 1);
        if length == 0 && parts != 1 {
            // An unsigned token ends with a dot, and a sentence does.
            break;
        }
        end += 1 + length;
        parts += 1;
    }
    // Padding that should not be there.
    while bytes.get(end) == Some(&b'=') {
        end += 1;
    }
    (parts >= 2 && end > header + 4).then(|| start..start + end)
}

fn is_header(part: &[u8]) -> bool {
    let Ok(decoded) = BASE64_URL_SAFE_NO_PAD.decode(part) else { return false };
    let Ok(Value::Object(header)) = serde_json::from_slice(&decoded) else { return false };
    header.get("alg").is_some_and(Value::is_string)
}
