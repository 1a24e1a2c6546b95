//! What a back end wants to see of whoever asks it, and whom it has to be: from variables alone, so that no credential stands
//! on a command line or in a log.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use crate::cli::Failure;
use crate::environment::{Environment, Setting, Warning, pairs};
use crate::otlp::TlsFiles;

const HEADERS: &str = "VEILSPAN_BACKEND_HEADERS";
const CERTIFICATE: &str = "VEILSPAN_BACKEND_CERTIFICATE";

/// Headers of each request, and certificates.
#[derive(Default)]
pub(in crate::cli) struct Access {
    pub(in crate::cli) headers: HeaderMap,
    pub(super) tls: TlsFiles,
}

impl Access {
    /// As the environment says, and what is wrong in it.
    pub(in crate::cli) fn read(environment: &Environment) -> (Self, Option<Warning>) {
        let mut access = Self::default();
        access.tls.certificate = environment.otel(CERTIFICATE).map(Into::into);
        let value = match environment.get(HEADERS) {
            Setting::Unset => return (access, None),
            Setting::Set(value) => value,
            Setting::NotUnicode => "\u{fffd}",
        };
        match headers(value) {
            Some(headers) => {
                access.headers = headers;
                (access, None)
            }
            None => {
                let wrong =
                    "not `name=value` pairs of headers, percent-encoded and joined by commas; no back end is asked";
                (access, Some(Warning::new(HEADERS, value, wrong)))
            }
        }
    }

    /// As the environment says. A value that cannot be used is an error: without it a back end might answer for another
    /// tenant.
    pub(super) fn from_environment(environment: &Environment) -> Result<Self, Failure> {
        match Self::read(environment) {
            (access, None) => Ok(access),
            (_, Some(wrong)) => Err(Failure::Usage(format!("{}: {}", wrong.variable, wrong.message))),
        }
    }
}

fn headers(text: &str) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs(text)? {
        let name: HeaderName = name.parse().ok()?;
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under(variables: &[(&str, &str)]) -> Result<Access, Failure> {
        Access::from_environment(&variables.iter().copied().collect())
    }

    #[test]
    fn headers_come_from_a_variable_and_are_never_printed() {
        let variables = [(HEADERS, "authorization=Bearer%20canary, X-Scope-OrgID=acme"), (CERTIFICATE, " ca.pem ")];
        let Ok(Access { headers, tls }) = under(&variables) else { panic!("it is read") };
        assert_eq!(headers["authorization"].to_str().unwrap(), "Bearer canary");
        assert_eq!(headers["x-scope-orgid"].to_str().unwrap(), "acme");
        assert!(!format!("{headers:?}").contains("canary"));
        assert_eq!(tls.certificate, Some("ca.pem".into()));
        assert!(under(&[(HEADERS, "")]).is_ok_and(|access| access.headers.is_empty()));
        for wrong in ["canary", "a b=canary", "=canary", "x=canary%0Acanary", "x=%ff"] {
            let Err(Failure::Usage(said)) = under(&[(HEADERS, wrong)]) else { panic!("{wrong}") };
            assert!(said.contains(HEADERS) && !said.contains("canary"), "{said}");
        }
    }
}
