//! Where to send.

use super::Reader;
use crate::export::config::ExporterConfig;
use crate::otlp::Protocol;

const GENERAL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

impl Reader<'_> {
    /// The endpoint under the protocol that was read before.
    pub(super) fn endpoint(&mut self, config: &mut ExporterConfig) {
        let over_http = config.protocol == Protocol::HttpProtobuf;
        let insecure = self.otlp("INSECURE").map(|(name, _)| name).and_then(|name| self.flag(&name));
        let Some((name, text)) = self.otlp("ENDPOINT") else {
            if over_http {
                config.endpoint = format!("http://localhost:4318{}", self.signal.path);
            }
            return;
        };
        // By the specification an address without a scheme is a secure one, unless it is said not to be.
        let scheme = if insecure == Some(true) { "http://" } else { "https://" };
        config.endpoint = if text.contains("://") { text.to_owned() } else { format!("{scheme}{text}") };
        let address = config.address();
        if address.is_empty() {
            self.warn(&name, text, "not an address such as `http://localhost:4317`; nothing can be sent");
        } else if !over_http && address.ends_with(":4318") && self.otlp("PROTOCOL").is_none() {
            const MESSAGE: &str = "4318 is the port of OTLP over HTTP, and requests go over gRPC; \
                 `OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf` changes that";
            self.warn(&name, text, MESSAGE);
        }
        if over_http && name == GENERAL {
            self.append_path(config, text);
        }
    }

    fn append_path(&mut self, config: &mut ExporterConfig, text: &str) {
        let end = config.endpoint.find(['?', '#']).unwrap_or(config.endpoint.len());
        let (base, query) = config.endpoint.split_at(end);
        let base = base.trim_end_matches('/');
        let path = self.signal.path;
        if base.ends_with(path) {
            const MESSAGE: &str = "`/v1/traces` is appended to this one, and stands there already; \
                 `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is taken as it is";
            self.warn(GENERAL, text, MESSAGE);
        }
        config.endpoint = format!("{base}{path}{query}");
    }
}

#[cfg(test)]
mod tests {
    use crate::environment::Warning;
    use crate::export::ExporterConfig;

    fn under(variables: &[(&str, &str)]) -> (ExporterConfig, Vec<Warning>) {
        ExporterConfig::from_environment(&variables.iter().copied().collect())
    }

    fn over_http(variables: &[(&str, &str)]) -> (String, usize) {
        let http = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
        let (config, warnings) = under(&[&[http], variables].concat());
        (config.endpoint, warnings.len())
    }

    #[test]
    fn the_variable_for_traces_wins_over_the_general_one() {
        let general = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://general:4317");
        assert_eq!(under(&[general]).0.endpoint, "http://general:4317");
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:4317");
        assert_eq!(under(&[general, traces]).0.endpoint, "http://traces:4317");
        assert_eq!(under(&[general, ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")]).0.endpoint, "http://general:4317");
    }

    #[test]
    fn over_http_the_general_endpoint_gets_a_path_and_that_of_traces_is_taken_as_it_is() {
        let general = |text| over_http(&[("OTEL_EXPORTER_OTLP_ENDPOINT", text)]);
        let traces = |text| over_http(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", text)]);
        assert_eq!(over_http(&[]).0, "http://localhost:4318/v1/traces");
        for (text, endpoint) in [
            ("http://a:1", "http://a:1/v1/traces"),
            ("http://a:1/", "http://a:1/v1/traces"),
            ("https://a/base/path/", "https://a/base/path/v1/traces"),
            ("http://a/base?key=1", "http://a/base/v1/traces?key=1"),
            ("a:4318", "https://a:4318/v1/traces"),
        ] {
            assert_eq!(general(text), (endpoint.to_owned(), 0), "{text}");
        }
        for text in ["http://a:1", "http://a:1/", "http://a/other", "http://a/v1/traces?key=1"] {
            assert_eq!(traces(text), (text.to_owned(), 0));
        }
        assert_eq!(general("http://a/v1/traces"), ("http://a/v1/traces/v1/traces".to_owned(), 1));
        let both = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"), ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://b/c")];
        assert_eq!(over_http(&both).0, "http://b/c");
    }

    #[test]
    fn an_address_that_cannot_be_dialled_is_warned_of_under_either_protocol() {
        for text in ["grpc://a:1", "http://", "unix:///tmp/socket", "http://a:port"] {
            assert_eq!(under(&[("OTEL_EXPORTER_OTLP_ENDPOINT", text)]).1.len(), 1, "{text}");
            assert_eq!(over_http(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", text)]).1, 1, "{text}");
        }
    }

    #[test]
    fn the_port_of_the_other_protocol_is_warned_of_where_nobody_named_one() {
        let port = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        assert_eq!(under(&[port]).1.len(), 1);
        assert!(under(&[port, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).1.is_empty());
        assert!(under(&[port, ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "HTTP/protobuf")]).1.is_empty());
    }
}
