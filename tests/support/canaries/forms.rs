//! The forms in which a text can hide among bytes.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter than this a form would be found by chance.
const MIN_FORM: usize = 6;

/// Each form of `text` with its name: as it is, in capitals, in base64 at any offset, in hex, as a URL writes it, as JSON can
/// escape it, in UTF-16, and as `Debug` prints bytes.
pub fn forms(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let each = |form: &dyn Fn(u8) -> String| text.bytes().map(form).collect::<String>().into_bytes();
    let listed = |separator: &str| text.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(separator);
    let utf16 = |form: &dyn Fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(form).collect::<Vec<u8>>();
    let unicode = |form: &dyn Fn(u16) -> String| text.encode_utf16().map(form).collect::<String>().into_bytes();
    let json = serde_json::to_string(text).unwrap();
    let mut forms = vec![
        ("plain", text.as_bytes().to_vec()),
        ("small letters", text.to_lowercase().into_bytes()),
        ("capitals", text.to_uppercase().into_bytes()),
        ("json", json.trim_matches('"').as_bytes().to_vec()),
        ("debug", format!("{text:?}").trim_matches('"').as_bytes().to_vec()),
        ("hex", each(&|byte| format!("{byte:02x}"))),
        ("hex in capitals", each(&|byte| format!("{byte:02X}"))),
        (
            "url",
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string().into_bytes(),
        ),
        ("whole url", each(&|byte| format!("%{byte:02X}"))),
        ("whole url in small letters", each(&|byte| format!("%{byte:02x}"))),
        ("json escapes", unicode(&|unit| format!("\\u{unit:04x}"))),
        ("json escapes in capitals", unicode(&|unit| format!("\\u{unit:04X}"))),
        ("escaped bytes", each(&|byte| format!("\\x{byte:02x}"))),
        ("listed bytes", listed(", ").into_bytes()),
        ("listed bytes without blanks", listed(",").into_bytes()),
        ("utf-16", utf16(&u16::to_le_bytes)),
        ("utf-16, big end first", utf16(&u16::to_be_bytes)),
    ];
    for offset in 0..3 {
        let padded = [&vec![b'x'; offset][..], text.as_bytes()].concat();
        // The characters at the ends hold bits of the neighbours.
        let whole = (offset * 8).div_ceil(6)..padded.len() * 8 / 6;
        for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            forms.push(("base64", encoded.as_bytes()[whole.clone()].to_vec()));
        }
    }
    forms.retain(|(_, form)| form.len() >= MIN_FORM);
    forms.sort_by(|left, right| left.1.cmp(&right.1));
    forms.dedup_by(|left, right| left.1 == right.1);
    forms
}
