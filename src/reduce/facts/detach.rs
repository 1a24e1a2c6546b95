//! Copies that own their bytes.
//!
//! A text read from a request is a slice of the request's one allocation. Kept as it is, sixteen bytes of a label would
//! keep megabytes alive, and the budget would not see them.

use bytestring::ByteString;

pub(in crate::reduce) fn detach(text: &ByteString) -> ByteString {
    ByteString::from(text.to_string())
}
