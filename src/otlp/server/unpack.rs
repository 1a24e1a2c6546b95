//! What a compressed message holds, never more than it may.

use std::io::Read;

use bytes::Bytes;

use super::charge::Charge;
use super::heavy::heavy;
use super::not_read::NotRead;

/// Grown by so much at a time, so that a bomb is known for one before it has room.
const STEP: usize = 256 << 10;
/// The widest window that RFC 8878 asks a decoder to have: 8 MiB.
const WINDOW_LOG: u32 = 23;

/// How a message is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Encoding {
    /// Those that are read, as a header lists them.
    pub(super) const READ: &'static str = "identity,gzip,zstd";

    /// The encoding of this name; of none, where there is no header.
    pub(super) fn of(name: Option<&http::HeaderValue>) -> Result<Self, NotRead> {
        let Some(name) = name else { return Ok(Self::Identity) };
        let name = name.as_bytes().trim_ascii();
        let encodings = [(&b"identity"[..], Self::Identity), (b"gzip", Self::Gzip), (b"zstd", Self::Zstd)];
        let found = encodings.into_iter().find(|(word, _)| name.eq_ignore_ascii_case(word));
        found.map(|(_, encoding)| encoding).ok_or(NotRead::Encoding)
    }

    /// The message unpacked: at most `most` bytes.
    pub(super) fn unpack(self, packed: Bytes, most: usize, charge: &mut Charge) -> Result<Bytes, NotRead> {
        // A packed byte may be a thousand.
        heavy(packed.len().saturating_mul(16), || self.unpacked(packed, most, charge))
    }

    fn unpacked(self, packed: Bytes, most: usize, charge: &mut Charge) -> Result<Bytes, NotRead> {
        if self != Self::Identity {
            // The packed form goes with this call.
            charge.hold(Bytes::new());
        }
        match self {
            Self::Identity => Ok(packed),
            Self::Gzip => drain(flate2::bufread::MultiGzDecoder::new(&*packed), packed.len(), most, charge),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(&*packed).map_err(|_| NotRead::Garbled)?;
                decoder.window_log_max(WINDOW_LOG).map_err(|_| NotRead::Garbled)?;
                // The window is the decoder's own memory, beside what comes out of it.
                let window = (1usize << WINDOW_LOG).min(most);
                charge.take(window)?;
                let unpacked = drain(decoder, packed.len(), most, charge);
                charge.give_back(window);
                unpacked
            }
        }
    }
}

fn drain(mut from: impl Read, packed: usize, most: usize, charge: &mut Charge) -> Result<Bytes, NotRead> {
    let mut unpacked = Vec::new();
    loop {
        let room = STEP.max(unpacked.len()).min(most.saturating_add(1).saturating_sub(unpacked.len()));
        charge.take(room)?;
        unpacked.reserve_exact(room);
        let before = unpacked.len();
        let read = from.by_ref().take(room as u64).read_to_end(&mut unpacked).map_err(|_| NotRead::Garbled)?;
        if unpacked.len() > most {
            return Err(NotRead::TooLarge);
        }
        if read < room {
            charge.give_back(before + room - unpacked.len());
            break;
        }
    }
    charge.give_back(packed);
    Ok(Bytes::from(unpacked))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use super::super::gate::{Gate, GateLimits};
    use super::*;

    fn gzip(bytes: &[u8]) -> Bytes {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().into()
    }

    fn zstd(bytes: &[u8]) -> Bytes {
        zstd::encode_all(bytes, 1).unwrap().into()
    }

    fn unpack(encoding: Encoding, packed: &Bytes, most: usize, bytes: usize) -> Result<Bytes, NotRead> {
        let gate = Arc::new(Gate::new(GateLimits { bytes, ..GateLimits::default() }));
        let mut charge = Charge::new(Arc::clone(&gate));
        charge.take(packed.len()).unwrap();
        let unpacked = encoding.unpack(packed.clone(), most, &mut charge);
        drop(charge);
        assert_eq!(gate.in_use(), (0, 0), "all that was taken is given back");
        unpacked
    }

    #[test]
    fn what_was_packed_comes_out_and_a_bomb_does_not() {
        let plain: Vec<u8> = (0..3_000_000u32).map(|n| (n / 7) as u8).collect();
        for (encoding, packed) in [(Encoding::Gzip, gzip(&plain)), (Encoding::Zstd, zstd(&plain))] {
            assert!(unpack(encoding, &packed, plain.len(), 64 << 20).unwrap() == plain, "{encoding:?}");
            assert_eq!(unpack(encoding, &packed, plain.len() - 1, 64 << 20), Err(NotRead::TooLarge));
            assert_eq!(unpack(encoding, &packed, plain.len(), 1 << 20), Err(NotRead::NoRoom));
            for cut in [0, 1, 7, packed.len() / 2, packed.len() - 1] {
                let cut = packed.slice(..cut);
                // Nothing at all is an empty message for one of the two, and never more than that.
                let unpacked = unpack(encoding, &cut, plain.len(), 64 << 20);
                assert!(unpacked.as_ref().is_err() || unpacked.as_ref().is_ok_and(Bytes::is_empty), "{encoding:?}");
            }
            assert_eq!(unpack(encoding, &Bytes::from_static(b"plain text"), 1 << 20, 64 << 20), Err(NotRead::Garbled));
        }
    }

    #[test]
    fn a_frame_with_too_wide_a_window_is_not_unpacked() {
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.include_contentsize(false).unwrap();
        encoder.write_all(&vec![7; 1 << 20]).unwrap();
        let packed = Bytes::from(encoder.finish().unwrap());
        assert_eq!(unpack(Encoding::Zstd, &packed, 16 << 20, 64 << 20), Err(NotRead::Garbled));
    }

    #[test]
    fn encodings_are_known_by_name() {
        let of = |name: &'static str| Encoding::of(Some(&http::HeaderValue::from_static(name)));
        assert_eq!(
            (of("GZIP"), of(" zstd"), of("identity")),
            (Ok(Encoding::Gzip), Ok(Encoding::Zstd), Ok(Encoding::Identity))
        );
        assert_eq!(
            (of("br"), of("gzip, gzip"), Encoding::of(None)),
            (Err(NotRead::Encoding), Err(NotRead::Encoding), Ok(Encoding::Identity))
        );
    }
}
