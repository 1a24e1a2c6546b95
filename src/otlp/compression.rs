//! How requests are compressed.

use std::fmt;
use std::io::Write;

use bytes::Bytes;
use flate2::write::GzEncoder;

use super::endpoint::ConfigError;
use super::segments::Segments;

/// A compression of requests, by the word that `OTEL_EXPORTER_OTLP_COMPRESSION` has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// `gzip`, which every receiver of OTLP reads.
    Gzip,
    /// `zstd`, which the OpenTelemetry Collector reads. Needs the feature `zstd`.
    Zstd,
}

impl Compression {
    /// The word for it, in configuration and in headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The compression of this word, in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Gzip, Self::Zstd].into_iter().find(|compression| word.eq_ignore_ascii_case(compression.as_str()))
    }

    /// Whether this build has it.
    pub const fn is_built(self) -> bool {
        match self {
            Self::Gzip => true,
            Self::Zstd => cfg!(feature = "zstd"),
        }
    }

    /// The same where this build has it.
    pub(super) const fn built(self) -> Result<Self, ConfigError> {
        if self.is_built() { Ok(self) } else { Err(ConfigError::no_zstd()) }
    }

    /// For tonic; nothing where this build lacks it.
    pub(super) const fn for_grpc(self) -> Option<tonic::codec::CompressionEncoding> {
        match self {
            Self::Gzip => Some(tonic::codec::CompressionEncoding::Gzip),
            #[cfg(feature = "zstd")]
            Self::Zstd => Some(tonic::codec::CompressionEncoding::Zstd),
            #[cfg(not(feature = "zstd"))]
            Self::Zstd => None,
        }
    }

    /// A message, packed. Writing into memory fails only where this build lacks the compression.
    pub(super) fn pack(self, message: &Segments) -> std::io::Result<Segments> {
        let packed = Vec::with_capacity(message.len() / 4);
        let packed = match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(packed, flate2::Compression::default());
                message.pieces().iter().try_for_each(|piece| encoder.write_all(piece))?;
                encoder.finish()?
            }
            #[cfg(feature = "zstd")]
            Self::Zstd => {
                let mut encoder = zstd::Encoder::new(packed, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                message.pieces().iter().try_for_each(|piece| encoder.write_all(piece))?;
                encoder.finish()?
            }
            #[cfg(not(feature = "zstd"))]
            Self::Zstd => return Err(std::io::ErrorKind::Unsupported.into()),
        };
        Ok(Segments::from(Bytes::from(packed)))
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
