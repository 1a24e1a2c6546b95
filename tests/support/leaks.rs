//! Looking for planted text in bytes.

/// Whether `bytes` hold `text` as it is, or in one of the forms in which it could hide.
pub fn holds(bytes: &[u8], text: &str) -> bool {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let url: String = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    // Inside of a longer text a base64 form begins at one of three offsets; the characters at its ends may differ.
    let base64 = (0..3).flat_map(|offset| {
        let padded = [&vec![b'x'; offset][..], text.as_bytes()].concat();
        [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)]
            .map(|form| form[(offset + 2)..form.len().saturating_sub(2).max(offset + 2)].to_owned())
    });
    let forms = [text.to_owned(), hex.to_uppercase(), hex, url].into_iter().chain(base64);
    forms.filter(|form| form.len() >= 6).any(|form| find(bytes, form.as_bytes()))
}

fn find(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}
