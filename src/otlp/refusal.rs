//! Refusals that say when to come again.

use std::time::Duration;

use bytes::Bytes;
use tonic::{Code, Status};

use super::writer::{delimited, put_bytes, put_integer};

/// A refusal with a text of ours. With `retry_after` it carries `google.rpc.RetryInfo`, which by the rules of OTLP makes
/// `RESOURCE_EXHAUSTED` something to send again, no sooner than that.
pub fn refusal(code: Code, message: &'static str, retry_after: Option<Duration>) -> Status {
    let Some(wait) = retry_after else { return Status::new(code, message) };
    let mut details = Vec::new();
    put_integer(&mut details, 1, code as i32 as u64);
    put_bytes(&mut details, 2, message.as_bytes());
    delimited(&mut details, 3, |any| {
        put_bytes(any, 1, b"type.googleapis.com/google.rpc.RetryInfo");
        delimited(any, 2, |info| {
            delimited(info, 1, |duration| {
                put_integer(duration, 1, wait.as_secs());
                put_integer(duration, 2, u64::from(wait.subsec_nanos()));
            });
        });
    });
    Status::with_details(code, message, Bytes::from(details))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::error::retry_info;

    #[test]
    fn what_a_refusal_says_is_what_a_client_reads() {
        let wait = Duration::from_millis(1500);
        let status = refusal(Code::ResourceExhausted, "busy", Some(wait));
        assert_eq!(retry_info(status.details()), Some(wait));
        assert_eq!(retry_info(refusal(Code::ResourceExhausted, "busy", None).details()), None);
    }
}
