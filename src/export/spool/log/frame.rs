//! One record as it lies in a segment: a head with its own checksum, then the payload.
//!
//! ```text
//! mark 4 │ length 4 │ kind 1 │ zero 3 │ index 8 │ crc32c of the payload 4 │ crc32c of the head 4 │ payload
//! ```
//!
//! Integers are little-endian. Each head begins with the mark, so that a reader who has lost its place finds the next
//! record again, and a record that was damaged costs no other one.

use std::ops::Range;

/// Bytes before a payload.
pub(crate) const HEAD: usize = 28;

const MARK: [u8; 4] = [0x9e, b'v', b's', 0xf1];

/// No payload is longer: what a head says beyond that is damage.
pub(crate) const MAX_PAYLOAD: usize = 64 << 20;

/// What a head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: u8,
    /// The record's place in the log, which counts up by one.
    pub(crate) index: u64,
    pub(crate) length: usize,
    checksum: u32,
}

/// Appends a record.
pub(crate) fn put(out: &mut Vec<u8>, kind: u8, index: u64, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let checksum = parts.iter().fold(0, |checksum, part| crc32c::crc32c_append(checksum, part));
    let start = out.len();
    out.reserve(HEAD + length);
    out.extend_from_slice(&MARK);
    // A payload beyond 32 bits is never offered: the writer refuses what is over `MAX_PAYLOAD`.
    out.extend_from_slice(&(length as u32).to_le_bytes());
    out.extend_from_slice(&[kind, 0, 0, 0]);
    out.extend_from_slice(&index.to_le_bytes());
    out.extend_from_slice(&checksum.to_le_bytes());
    let own = crc32c::crc32c(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&own.to_le_bytes());
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

/// What stands at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A record, and whether its payload is what was written.
    Record(Head, Payload),
    /// The bytes end before the record does: this many would be needed at the least.
    Cut(usize),
    /// Not the head of a record.
    Damage,
}

/// Where the payload lies, where it is whole.
pub(crate) type Payload = Option<Range<usize>>;

/// Looks at the beginning of `bytes`.
pub(crate) fn look(bytes: &[u8]) -> Found {
    let Some(head) = bytes.get(..HEAD) else {
        let beginning = bytes.get(..MARK.len().min(bytes.len())).unwrap_or_default();
        return if MARK.starts_with(beginning) { Found::Cut(HEAD) } else { Found::Damage };
    };
    let Some(head) = head_of(head) else { return Found::Damage };
    let Some(payload) = bytes.get(HEAD..HEAD + head.length) else { return Found::Cut(HEAD + head.length) };
    let is_whole = crc32c::crc32c(payload) == head.checksum;
    Found::Record(head, is_whole.then_some(HEAD..HEAD + head.length))
}

fn head_of(bytes: &[u8]) -> Option<Head> {
    let (said, own) = bytes.split_at_checked(HEAD - 4)?;
    if !said.starts_with(&MARK) || crc32c::crc32c(said).to_le_bytes() != own {
        return None;
    }
    let length = u32_at(said, 4)? as usize;
    let [kind, zeros @ ..]: [u8; 4] = said.get(8..12)?.try_into().ok()?;
    if length > MAX_PAYLOAD || zeros != [0; 3] {
        return None;
    }
    let index = u64::from_le_bytes(said.get(12..20)?.try_into().ok()?);
    Some(Head { kind, index, length, checksum: u32_at(said, 20)? })
}

/// How far on the next mark could begin; at the end of the bytes, as much as may be skipped.
pub(crate) fn next_mark(bytes: &[u8]) -> usize {
    let [first, ..] = MARK;
    (1..bytes.len())
        .find(|place| {
            let rest = bytes.get(*place..).unwrap_or_default();
            rest.first() == Some(&first) && (rest.starts_with(&MARK) || MARK.starts_with(rest))
        })
        .unwrap_or(bytes.len())
}

fn u32_at(bytes: &[u8], place: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(place..place + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_as_it_was_put() {
        let mut bytes = Vec::new();
        put(&mut bytes, 3, 7, &[b"a pay", b"load"]);
        let Found::Record(head, Some(payload)) = look(&bytes) else { panic!("no record") };
        assert_eq!((head.kind, head.index, head.length), (3, 7, 9));
        assert_eq!(&bytes[payload], b"a payload");
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283, "the check value of RFC 3720");
    }

    #[test]
    fn every_cut_is_a_cut_and_every_flipped_byte_is_noticed() {
        let mut bytes = Vec::new();
        put(&mut bytes, 3, 7, &[b"a payload"]);
        for length in 0..bytes.len() {
            assert!(matches!(look(&bytes[..length]), Found::Cut(more) if more > length), "{length}");
        }
        for place in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[place] ^= 0x10;
            match look(&flipped) {
                Found::Damage => assert!(place < HEAD),
                Found::Record(head, None) => assert!(place >= HEAD && head.length == 9),
                other => panic!("{place}: {other:?}"),
            }
        }
    }

    #[test]
    fn after_damage_the_next_mark_is_found_even_where_the_bytes_end_in_it() {
        let mut bytes = b"rubbish".to_vec();
        put(&mut bytes, 1, 1, &[b"x"]);
        assert_eq!(next_mark(&bytes), 7);
        assert_eq!(next_mark(&bytes[..9]), 7, "half a mark");
        assert_eq!(next_mark(b"rubbish"), 7);
    }
}
