//! Attributes onto the wire: `KeyValue` messages, written without building them first.
//!
//! Every length is computed before the bytes are written, so that nothing is moved and nothing allocated but the output.

use bytestring::ByteString;

use super::elements::{Size, Word};
use super::keys::{Keys, SHORT};
use super::varint::varint_len;
use super::writer::{BYTES, FIXED64, VARINT, bytes_len, key, put_varint};
use crate::event::{Algorithm, Digest, Value, hex};
use crate::semconv::KeyId;

pub(super) const TEXT: u8 = key(1, BYTES);
const BOOL: u8 = key(2, VARINT);
const INT: u8 = key(3, VARINT);
const DOUBLE: u8 = key(4, FIXED64);
const ARRAY: u8 = key(5, BYTES);
pub(super) const ELEMENT: u8 = key(1, BYTES);

/// Appends attributes as fields of one message.
pub(super) struct AttributeWriter<'a> {
    out: &'a mut Vec<u8>,
    keys: &'a Keys,
    tag: u8,
}

impl<'a> AttributeWriter<'a> {
    /// Into the field `number`, below 16, of the message that is being written to `out`.
    pub(super) const fn new(out: &'a mut Vec<u8>, keys: &'a Keys, number: u8) -> Self {
        Self { out, keys, tag: key(number, BYTES) }
    }

    pub(super) fn value(&mut self, id: KeyId, value: &Value) {
        match value {
            Value::Text(text) => self.text(id, text),
            Value::Int(number) => self.int(id, *number),
            Value::Double(number) => self.double(id, *number),
            Value::Bool(flag) => self.bool(id, *flag),
            Value::Texts(texts) => self.texts(id, texts.iter().map(ByteString::as_ref)),
            Value::Ints(numbers) => self.ints(id, numbers.iter().copied()),
        }
    }

    #[inline]
    pub(super) fn text(&mut self, id: KeyId, text: &str) {
        self.start_text(id, text.len());
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Everything of a text up to its first byte.
    #[inline]
    fn start_text(&mut self, id: KeyId, length: usize) {
        // The length of a longer one takes more than a byte.
        if length >= 0x80 || !self.short(id, 2 + length, TEXT, ([length as u8], 1)) {
            self.start_long_text(id, length);
        }
    }

    #[cold]
    fn start_long_text(&mut self, id: KeyId, length: usize) {
        self.start(id, bytes_len(length), TEXT);
        put_varint(self.out, length as u64);
    }

    /// A text of a length that is always the same.
    #[inline]
    pub(super) fn digits<const N: usize>(&mut self, id: KeyId, digits: &[u8; N]) {
        self.start_text(id, N);
        self.out.extend_from_slice(digits);
    }

    /// Attributes that were written before, into the field of the same number.
    pub(super) fn written(&mut self, attributes: &[u8]) {
        self.out.extend_from_slice(attributes);
    }

    #[inline]
    pub(super) fn int(&mut self, id: KeyId, number: i64) {
        let number = number.cast_unsigned();
        let is_written = match number {
            0..0x80 => self.short(id, 2, INT, ([number as u8], 1)),
            0x80..0x4000 => self.short(id, 3, INT, ([number as u8 | 0x80, (number >> 7) as u8], 2)),
            0x4000..0x1000_0000 => {
                let (bytes, length) = short_varint(number as u32);
                self.short(id, 1 + length, INT, (bytes, length))
            }
            _ => false,
        };
        if !is_written {
            self.long_int(id, number);
        }
    }

    #[cold]
    fn long_int(&mut self, id: KeyId, number: u64) {
        self.start(id, 1 + varint_len(number), INT);
        put_varint(self.out, number);
    }

    pub(super) fn double(&mut self, id: KeyId, number: f64) {
        let bytes = number.to_le_bytes();
        if !self.short(id, 9, DOUBLE, (bytes, 8)) {
            self.start(id, 9, DOUBLE);
            self.out.extend_from_slice(&bytes);
        }
    }

    pub(super) fn bool(&mut self, id: KeyId, flag: bool) {
        let byte = u8::from(flag);
        if !self.short(id, 2, BOOL, ([byte], 1)) {
            self.start(id, 2, BOOL);
            self.out.push(byte);
        }
    }

    pub(super) fn texts<'t>(&mut self, id: KeyId, texts: impl Iterator<Item = &'t str> + Clone) {
        self.sized_texts(id, texts.clone().fold(Size::default(), Size::text), texts);
    }

    /// The same, where it is known what they take.
    pub(super) fn sized_texts<'t>(&mut self, id: KeyId, size: Size, texts: impl Iterator<Item = &'t str>) {
        self.start_array(id, size);
        texts.for_each(|text| put_text_element(self.out, text));
    }

    pub(super) fn words(&mut self, id: KeyId, size: Size, words: impl Iterator<Item = &'static Word>) {
        self.start_array(id, size);
        words.for_each(|Word { element, length }| {
            let end = self.out.len() + length;
            self.out.extend_from_slice(element);
            self.out.truncate(end);
        });
    }

    pub(super) fn ints(&mut self, id: KeyId, numbers: impl Iterator<Item = i64> + Clone) {
        self.sized_ints(id, numbers.clone().fold(Size::default(), Size::int), numbers);
    }

    pub(super) fn sized_ints(&mut self, id: KeyId, size: Size, numbers: impl Iterator<Item = i64>) {
        self.start_array(id, size);
        numbers.for_each(|number| put_int_element(self.out, number));
    }

    pub(super) fn digest(&mut self, id: KeyId, digest: &Digest) {
        self.start(id, bytes_len(digest_len(digest)), TEXT);
        put_digest(self.out, digest);
    }

    /// An array of digests, `""` for each that is missing.
    pub(super) fn digests<'d>(&mut self, id: KeyId, digests: impl Iterator<Item = Option<&'d Digest>> + Clone) {
        self.sized_digests(id, digests.clone().fold(Size::default(), Size::digest), digests);
    }

    pub(super) fn sized_digests<'d>(
        &mut self,
        id: KeyId,
        size: Size,
        digests: impl Iterator<Item = Option<&'d Digest>>,
    ) {
        self.start_array(id, size);
        digests.for_each(|digest| match digest {
            Some(digest) => put_digest_element(self.out, digest),
            None => self.out.extend_from_slice(&[ELEMENT, 2, TEXT, 0]),
        });
    }

    /// Everything of an array up to its first element.
    fn start_array(&mut self, id: KeyId, Size(size): Size) {
        self.start(id, bytes_len(size), ARRAY);
        put_varint(self.out, size as u64);
    }

    /// An attribute up to the first bytes of its value, of which there are as many as `first` says. `false`: a length takes
    /// more than a byte, and nothing is written.
    #[inline]
    fn short<const N: usize>(&mut self, id: KeyId, length: usize, kind: u8, first: ([u8; N], usize)) -> bool {
        const { assert!(N <= SHORT) };
        let start = self.keys.start(id);
        let total = start.length - 3 + length;
        if total >= 0x80 {
            return false;
        }
        let (begin, (bytes, used)) = (self.out.len() + start.length, first);
        self.out.extend_from_slice(&start.bytes);
        if let Some(written) = self.out.last_chunk_mut() {
            start.complete(written, [self.tag, total as u8], [length as u8, kind], bytes);
        }
        self.out.truncate(begin + used);
        true
    }

    /// Everything of an attribute up to the key of what its value, an `AnyValue` of `length` bytes, consists of.
    #[inline]
    fn start(&mut self, id: KeyId, length: usize, kind: u8) {
        let start = self.keys.start(id);
        let begin = self.out.len();
        self.out.extend_from_slice(&start.bytes);
        self.out.truncate(begin + start.length);
        // Without the tag, the length itself and the key of what is in the value, where both lengths take a byte.
        let total = start.length - 3 + length;
        if total >= 0x80 {
            return self.long_start(begin, length, kind);
        }
        if let Some([tag, first, .., last, inner]) = self.out.get_mut(begin..) {
            (*tag, *first, *last, *inner) = (self.tag, total as u8, length as u8, kind);
        }
    }

    /// The same where a length takes more than a byte.
    #[cold]
    fn long_start(&mut self, begin: usize, length: usize, kind: u8) {
        let name = begin + 2..self.out.len() - 2;
        let total = name.len() + varint_len(length as u64) + length;
        let start = self.out.len();
        self.out.push(self.tag);
        put_varint(self.out, total as u64);
        self.out.extend_from_within(name);
        put_varint(self.out, length as u64);
        self.out.push(kind);
        self.out.drain(begin..start);
    }
}

/// The varint of what four bytes hold, and its length.
#[inline]
const fn short_varint(value: u32) -> ([u8; 4], usize) {
    let length = varint_len(value as u64);
    let spread = value & 0x7f | (value & 0x3f80) << 1 | (value & 0x1f_c000) << 2 | (value & 0xfe0_0000) << 3;
    let all_but_the_last = 0x8080_8080 & ((1 << (8 * (length - 1))) - 1);
    ((spread | all_but_the_last).to_le_bytes(), length)
}

/// Appends a `KeyValue` of two texts as a field with a number below 16.
pub(super) fn put_label(out: &mut Vec<u8>, number: u8, name: &str, text: &str) {
    let value = bytes_len(text.len());
    out.push(key(number, BYTES));
    put_varint(out, (bytes_len(name.len()) + bytes_len(value)) as u64);
    put_text(out, name);
    out.push(key(2, BYTES));
    put_varint(out, value as u64);
    put_text(out, text);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.push(TEXT);
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// A number as an element of an array. Mostly it is a length, which takes a few bytes.
#[inline]
fn put_int_element(out: &mut Vec<u8>, number: i64) {
    let number = number.cast_unsigned();
    if number < 0x1000_0000 {
        let ([a, b, c, d], length) = short_varint(number as u32);
        let end = out.len() + 3 + length;
        out.extend_from_slice(&[ELEMENT, 1 + length as u8, INT, a, b, c, d]);
        return out.truncate(end);
    }
    out.extend_from_slice(&[ELEMENT, 1 + varint_len(number) as u8, INT]);
    put_varint(out, number);
}

/// A text as an element of an array. Mostly it is a word, whose lengths take a byte each.
fn put_text_element(out: &mut Vec<u8>, text: &str) {
    if text.len() + 2 < 0x80 {
        out.extend_from_slice(&[ELEMENT, text.len() as u8 + 2, TEXT, text.len() as u8]);
        return out.extend_from_slice(text.as_bytes());
    }
    out.push(ELEMENT);
    put_varint(out, bytes_len(text.len()) as u64);
    put_text(out, text);
}

/// The same of a digest, which has always the same length.
fn put_digest_element(out: &mut Vec<u8>, digest: &Digest) {
    match digest.algorithm {
        Algorithm::Sha256 => put_digest_of::<75>(out, b"sha256:", digest),
        Algorithm::HmacSha256 => put_digest_of::<80>(out, b"hmac-sha256:", digest),
    }
}

#[inline(always)]
fn put_digest_of<const N: usize>(out: &mut Vec<u8>, algorithm: &[u8], digest: &Digest) {
    let mut bytes = [0; N];
    let (head, rest) = bytes.split_at_mut(4);
    head.copy_from_slice(&[ELEMENT, N as u8 - 2, TEXT, N as u8 - 4]);
    let (name, digits) = rest.split_at_mut(algorithm.len());
    name.copy_from_slice(algorithm);
    hex::write(&digest.bytes, digits);
    out.extend_from_slice(&bytes);
}

pub(super) fn digest_len(digest: &Digest) -> usize {
    digest.algorithm.as_str().len() + 1 + 2 * digest.bytes.len()
}

fn put_digest(out: &mut Vec<u8>, digest: &Digest) {
    out.push(digest_len(digest) as u8);
    out.extend_from_slice(digest.algorithm.as_str().as_bytes());
    out.push(b':');
    let mut digits = [0; 64];
    hex::write(&digest.bytes, &mut digits);
    out.extend_from_slice(&digits);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::writer::{put_bytes, put_double, put_integer};
    use crate::semconv;

    #[test]
    fn a_short_varint_is_the_varint() {
        let edges = (0..28).flat_map(|bit| [(1u32 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        for value in edges.chain((0..1 << 28).step_by(99_991)) {
            let ((bytes, length), mut out) = (short_varint(value), Vec::new());
            put_varint(&mut out, u64::from(value));
            assert_eq!(bytes[..length], out[..], "{value}");
        }
    }

    /// Whatever a value is like, whichever way it is written.
    #[test]
    fn an_attribute_of_any_length_is_its_fields_one_in_the_other() {
        let lengths = (0..40).chain([60, 70, 126, 127, 128, 129, 300, 20_000]);
        let texts: Vec<Value> =
            lengths.map(|length| Value::Text(('0'..='z').cycle().take(length).collect::<String>().into())).collect();
        let ints = [0, 1, -1, 127, 128, 16_383, 16_384, (1 << 28) - 1, 1 << 28, i64::MAX, i64::MIN].map(Value::Int);
        let others = [Value::Double(0.5), Value::Double(f64::MAX), Value::Bool(true), Value::Bool(false)];
        for id in [semconv::SEQ.id(), semconv::CACHE_WRITE_TOKENS.id(), semconv::REQUEST_MODEL.id()] {
            for value in texts.iter().chain(&ints).chain(&others) {
                let mut inner = Vec::new();
                match value {
                    Value::Text(text) => put_bytes(&mut inner, 1, text.as_bytes()),
                    Value::Int(number) => put_integer(&mut inner, 3, number.cast_unsigned()),
                    Value::Double(number) => put_double(&mut inner, 4, *number),
                    Value::Bool(flag) => put_integer(&mut inner, 2, u64::from(*flag)),
                    Value::Texts(_) | Value::Ints(_) => panic!("another type"),
                }
                let (mut pair, mut expected) = (Vec::new(), b"before".to_vec());
                put_bytes(&mut pair, 1, id.name().key.as_bytes());
                put_bytes(&mut pair, 2, &inner);
                put_bytes(&mut expected, 9, &pair);
                let mut written = b"before".to_vec();
                AttributeWriter::new(&mut written, Keys::of_table(), 9).value(id, value);
                assert!(written == expected, "{} {value:?}", id.name().key);
            }
        }
    }

    #[test]
    fn a_text_of_any_length_is_an_element_as_it_is_a_value() {
        for length in (0..40).chain([125, 126, 127, 128, 16_383, 16_384]) {
            let text: String = ('0'..='z').cycle().take(length).collect();
            let (mut value, mut expected, mut element) = (Vec::new(), Vec::new(), Vec::new());
            put_text(&mut value, &text);
            super::super::writer::put_bytes(&mut expected, 1, &value);
            put_text_element(&mut element, &text);
            assert_eq!(element, expected, "{length}");
        }
    }

    #[test]
    fn a_digest_is_written_as_it_prints() {
        for algorithm in [Algorithm::Sha256, Algorithm::HmacSha256] {
            for first in (0u8..=255).step_by(32) {
                let bytes = std::array::from_fn(|place| first.wrapping_add(place as u8));
                let digest = Digest { algorithm, bytes };
                let mut out = Vec::new();
                put_digest(&mut out, &digest);
                assert_eq!(out[1..], *digest.to_string().as_bytes());
                assert_eq!(usize::from(out[0]), digest_len(&digest));
                let mut element = Vec::new();
                put_digest_element(&mut element, &digest);
                assert_eq!(element[..3], [ELEMENT, out.len() as u8 + 1, TEXT]);
                assert_eq!(element[3..], out);
            }
        }
    }
}
