//! `opentelemetry_otlp`'s requests over HTTP, sent by our own client.
//!
//! It is given the message alone: to whom it goes, under which headers and trusting whom, is what our configuration says.
//! What comes back is what the rules of OTLP make of the answer, without a word of the peer's, which would be logged.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use opentelemetry_http::{HttpClient, HttpError};

use crate::otlp::{Client, ClientOptions, Compression, ConfigError, ExportError, encode_response};

/// A client of one endpoint.
#[derive(Debug)]
pub(crate) struct OwnClient(Client);

impl OwnClient {
    pub(crate) fn new(options: &ClientOptions) -> Result<Self, ConfigError> {
        Client::new(options).map(Self)
    }
}

#[tonic::async_trait]
impl HttpClient for OwnClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let packed = request.headers().get(CONTENT_ENCODING).and_then(|word| word.to_str().ok());
        let compression = packed.and_then(Compression::from_word);
        match self.0.export_body(request.into_body(), compression).await {
            Ok(accepted) => {
                let mut response = Response::new(encode_response(accepted.rejected_spans, ""));
                response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/x-protobuf"));
                Ok(response)
            }
            Err(error) => refused(&error).ok_or_else(|| error.into()),
        }
    }
}

/// A refusal with its status and how long to wait. Nothing where there was no answer.
fn refused(error: &ExportError) -> Option<Response<Bytes>> {
    let status = StatusCode::from_u16(error.http_status()?).ok()?;
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    if let Some(wait) = error.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, wait.as_secs().into());
    }
    Some(response)
}
