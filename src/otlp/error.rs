//! Why a request was not taken, without a word of the peer's text.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use tonic::{Code, Status};

use super::guard;
use super::transport;
use super::wire::{Fields, Wire};

/// A request that the peer did not take, or that did not reach it. Keeps the length of what the peer said, not the text:
/// it may quote what it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportError {
    code: Code,
    /// What an answer over HTTP said.
    status: Option<StatusCode>,
    answered: bool,
    retry_after: Option<Duration>,
    message_len: usize,
    is_about_length: bool,
}

impl ExportError {
    /// What did not get an answer: no connection, a broken one, or no answer in time.
    pub(super) const fn unanswered(code: Code) -> Self {
        Self { code, status: None, answered: false, retry_after: None, message_len: 0, is_about_length: false }
    }

    /// An answer that is no answer to an export.
    pub(super) const fn unreadable() -> Self {
        Self { answered: true, ..Self::unanswered(Code::Internal) }
    }

    pub(super) fn from_status(status: &Status) -> Self {
        // tonic makes statuses of its own from errors of the transport; only these have a source. What it calls
        // "unknown" there is a broken connection.
        if std::error::Error::source(status).is_some() {
            return Self::unanswered(Code::Unavailable);
        }
        let retry_after = guard::details(status.metadata()).as_deref().and_then(retry_info);
        Self {
            code: status.code(),
            status: None,
            answered: true,
            retry_after,
            message_len: status.message().len(),
            is_about_length: speaks_of_length(status.message()),
        }
    }

    pub(super) const fn from_http(status: StatusCode, retry_after: Option<Duration>, message_len: usize) -> Self {
        let is_about_length = status.as_u16() == StatusCode::PAYLOAD_TOO_LARGE.as_u16();
        let code = transport::code(status);
        Self { code, status: Some(status), answered: true, retry_after, message_len, is_about_length }
    }

    /// What a peer that is made up answers.
    #[cfg(test)]
    pub(crate) const fn made_up(code: Code, answered: bool, retry_after: Option<Duration>) -> Self {
        Self { answered, retry_after, ..Self::unanswered(code) }
    }

    /// The same, saying something.
    #[cfg(test)]
    pub(crate) fn saying(self, message: &str) -> Self {
        Self { message_len: message.len(), is_about_length: speaks_of_length(message), ..self }
    }

    /// The gRPC code, or the one that means what an HTTP status means; `Unavailable` or `DeadlineExceeded` where there
    /// was no answer.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What an answer over HTTP said.
    pub fn http_status(&self) -> Option<u16> {
        self.status.map(|status| status.as_u16())
    }

    /// Whether the peer has answered at all.
    pub const fn answered(&self) -> bool {
        self.answered
    }

    /// Whether the same request may be sent again, by the rules of OTLP: over HTTP after 429, 502, 503 and 504 alone.
    pub const fn retryable(&self) -> bool {
        match self.code {
            Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss => true,
            Code::ResourceExhausted => self.retry_after.is_some(),
            _ => false,
        }
    }

    /// How long the peer asks to wait at least (`google.rpc.RetryInfo`, `Retry-After`).
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the peer says that the request is too long for it: HTTP's 413, or the words that gRPC's servers have for that,
    /// which has no code of its own.
    pub const fn is_about_length(&self) -> bool {
        self.is_about_length
    }

    /// The length of the peer's message, in bytes.
    pub const fn message_len(&self) -> usize {
        self.message_len
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.answered { "peer refused" } else { "no answer from peer" };
        match self.status {
            Some(status) => write!(f, "{prefix}: http status {}", status.as_u16()),
            None => write!(f, "{prefix}: {}", code_name(self.code)),
        }
    }
}

impl std::error::Error for ExportError {}

/// Whether a status says that a message is too long. What the servers of the languages write: "grpc: received message larger
/// than max" (Go, C++, Python, Node), "gRPC message exceeds maximum size" (Java), "message exceeds the maximum configured
/// message size" (.NET), "decoded message length too large" and "size limit … exceeded while decompressing message" (Rust).
fn speaks_of_length(message: &str) -> bool {
    const WHAT: [&str; 5] = ["message", "size", "body", "payload", "entity"];
    const HOW: [&str; 6] = ["larger than", "exceeds max", "exceeds the max", "size limit", "too large", "too long"];
    let message = message.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    has(&WHAT) && has(&HOW)
}

const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "ok",
        Code::Cancelled => "cancelled",
        Code::Unknown => "unknown",
        Code::InvalidArgument => "invalid argument",
        Code::DeadlineExceeded => "deadline exceeded",
        Code::NotFound => "not found",
        Code::AlreadyExists => "already exists",
        Code::PermissionDenied => "permission denied",
        Code::ResourceExhausted => "resource exhausted",
        Code::FailedPrecondition => "failed precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out of range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data loss",
        Code::Unauthenticated => "unauthenticated",
    }
}

/// The delay of the first `RetryInfo` among the details of a `google.rpc.Status`; none said is none.
pub(super) fn retry_info(status: &[u8]) -> Option<Duration> {
    let details = messages(status, 3);
    details.filter_map(|any| messages(any, 1).last().zip(messages(any, 2).last())).find_map(|(type_url, value)| {
        let name = type_url.rsplit(|byte| *byte == b'/').next();
        (name == Some(b"google.rpc.RetryInfo")).then(|| messages(value, 1).last().map_or(Duration::ZERO, duration))
    })
}

fn messages(bytes: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    Fields::new(bytes).filter_map(move |field| match field {
        Ok(field) if field.number == number => match field.value {
            Wire::Bytes(message) => Some(message),
            _ => None,
        },
        _ => None,
    })
}

/// A `google.protobuf.Duration`; a negative one is none.
fn duration(bytes: &[u8]) -> Duration {
    let (mut seconds, mut nanos) = (0, 0);
    for field in Fields::new(bytes).flatten() {
        match (field.number, field.value) {
            (1, Wire::Varint(value)) => seconds = value.cast_signed(),
            (2, Wire::Varint(value)) => nanos = value.cast_signed(),
            _ => {}
        }
    }
    let nanos = u32::try_from(nanos).map_or(0, |nanos| nanos.min(999_999_999));
    u64::try_from(seconds).map_or(Duration::ZERO, |seconds| Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_servers_for_a_message_that_is_too_long_are_known_and_those_for_a_quota_are_not() {
        for message in [
            "grpc: received message larger than max (5000000 vs. 4194304)",
            "SERVER: Received message larger than max (5000000 vs. 4194304)",
            "gRPC message exceeds maximum size 4194304: 5000000",
            "Received message exceeds the maximum configured message size.",
            "Error decompressing: size limit, of 4194304 bytes, exceeded while decompressing message",
            "Error, decoded message length too large: found 5000000 bytes, the limit is: 4194304 bytes",
        ] {
            assert!(speaks_of_length(message), "{message}");
        }
        for message in ["", "quota exceeded", "Request rate is too large", "memory limit reached", "try another time"] {
            assert!(!speaks_of_length(message), "{message}");
        }
    }
}
