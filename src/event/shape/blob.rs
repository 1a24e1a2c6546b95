//! Bytes in base64.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::node::{Look, Node};
use crate::event::{Part, RawBytes};

const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const ENGINES: [GeneralPurpose; 2] = [GeneralPurpose::new(&STANDARD, CONFIG), GeneralPurpose::new(&URL_SAFE, CONFIG)];

/// Decodes base64, padded or not, of either alphabet.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    ENGINES.iter().find_map(|engine| engine.decode(text).ok())
}

/// The bytes of `data:<type>;base64,<data>`.
pub(super) fn decode_url(url: &str) -> Option<Vec<u8>> {
    let (scheme, rest) = url.split_at_checked(5)?;
    if !scheme.eq_ignore_ascii_case("data:") {
        return None;
    }
    let (head, data) = rest.split_once(',')?;
    let is_base64 = head.rsplit(';').next().is_some_and(|word| word.eq_ignore_ascii_case("base64"));
    if is_base64 { decode(data) } else { None }
}

/// What only the provider can read. The text is the blob: what it encodes is none of our business.
pub(super) fn encrypted(node: impl Node) -> Part {
    let bytes = node.look().as_str().map(|text| text.as_bytes().to_vec()).unwrap_or_default();
    node.discard();
    Part::Encrypted(RawBytes::from(bytes))
}
