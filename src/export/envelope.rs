//! What is put around the fields of a batch to make a request of them.

use bytes::Bytes;

use crate::otlp::{Segments, assemble};

/// What is put around the fields of a batch to make a request of them.
#[derive(Debug)]
pub(crate) enum Envelope {
    /// The fields are spans, all of one resource and one scope.
    Scoped {
        /// A `Resource` message.
        resource: Bytes,
        /// An `InstrumentationScope` message.
        scope: Bytes,
    },
    /// The fields are whole `resource_spans`.
    #[cfg(feature = "collector")]
    Bare,
}

impl Envelope {
    pub(super) fn request(&self, fields: Bytes) -> Segments {
        match self {
            Self::Scoped { resource, scope } => assemble::request(resource, scope, [fields]),
            #[cfg(feature = "collector")]
            Self::Bare => {
                let mut request = Segments::with_capacity(1);
                request.push(fields);
                request
            }
        }
    }
}
